"""Describe a locked model and guard its file; imports neither torch nor onnxruntime."""
