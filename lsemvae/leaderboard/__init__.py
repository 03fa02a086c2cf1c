"""Keep a leaderboard: frozen questions, rows that others hand in, and a static site of both."""
