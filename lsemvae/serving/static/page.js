// Send dropped or chosen files in parts, so that rows appear while others are still read.
// Without this script the form sends all files at once.
"use strict";

const form = document.getElementById("upload");
const input = document.getElementById("files");
const button = form.querySelector("button");
const progress = document.getElementById("progress");
const problems = document.getElementById("problems");
const BATCH_FILES = 20;
const PARTS = /\.(hea|dat|atr|mat|xws)$/;
let busy = false;

// The files of one recording must travel together; a folder's layout.json travels with all.
function groupsOf(files) {
  const headers = new Set(files.filter((f) => f.name.endsWith(".hea")).map((f) => f.name.slice(0, -4)));
  const stray = files.some((f) => f.name.endsWith(".dat") && !headers.has(f.name.slice(0, -4)));
  const groups = new Map();
  for (const file of files) {
    const stem = file.name.replace(PARTS, "");
    let key = file.name.replace(/\.layout\.json$/, "");
    if (headers.has(stem) || file.name.endsWith(".dat")) key = stray ? " wfdb" : `${stem} wfdb`;
    else while (groups.has(key) && groups.get(key).some((f) => f.name === file.name)) key += " again";
    groups.set(key, [...(groups.get(key) || []), file]);
  }
  return [...groups.values()];
}

function batchesOf(files) {
  const shared = files.filter((f) => f.name === "layout.json");
  const own = files.filter((f) => f.name !== "layout.json");
  const limit = Number(form.dataset.batchBytes);
  const batches = [];
  let batch = null;
  for (const group of groupsOf(own)) {
    const bytes = group.reduce((sum, f) => sum + f.size, 0);
    const repeated = batch && group.some((f) => batch.names.has(f.name));
    if (!batch || repeated || batch.files.length + group.length > BATCH_FILES || batch.bytes + bytes > limit) {
      batch = { files: [], names: new Set(), bytes: 0 };
      batches.push(batch);
    }
    batch.files.push(...group);
    batch.bytes += bytes;
    group.forEach((f) => batch.names.add(f.name));
  }
  if (!batches.length) return [{ files: shared, bytes: 0 }];
  return batches.map((b) => ({ ...b, files: [...b.files, ...shared] }));
}

function tell(line) {
  const item = document.createElement("li");
  item.textContent = line;
  problems.append(item);
  problems.hidden = false;
}

async function post(batch) {
  const limit = Number(form.dataset.requestBytes);
  const bytes = batch.files.reduce((sum, f) => sum + f.size, 0);
  if (bytes > limit) {
    const names = batch.files.map((f) => f.name).join(", ");
    tell(`${names}: larger than ${limit / 1048576} MB, so it was not sent. One ECG takes less than 2 MB.`);
    return;
  }
  const body = new FormData();
  batch.files.forEach((f) => body.append(input.name, f));
  try {
    const answer = await fetch(form.action, { method: "POST", body, headers: { Accept: "text/plain" } });
    const line = await answer.text();
    if (!answer.ok) tell(line);
  } catch {
    const names = batch.files.map((f) => f.name).join(", ");
    tell(`${names}: could not be sent. Folders cannot be dropped, choose the files in them; else look whether the program still runs.`);
  }
}

async function refresh() {
  const answer = await fetch("/", { headers: { Accept: "text/html" } });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  document.getElementById("worklist").replaceWith(page.getElementById("worklist"));
}

async function send(files) {
  if (busy || !files.length) return;
  busy = button.disabled = true;
  problems.replaceChildren();
  problems.hidden = true;
  let done = 0;
  try {
    for (const batch of batchesOf(files)) {
      progress.textContent = `Reading files: ${done} of ${files.length}`;
      await post(batch);
      done = Math.min(files.length, done + batch.files.length);
      await refresh();
    }
    progress.textContent = `Done: ${files.length} ${files.length === 1 ? "file" : "files"}`;
  } catch {
    progress.textContent = "";
    tell("The program does not answer. Look whether it still runs, then load this page again.");
  }
  busy = button.disabled = false;
  form.reset();
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  send([...input.files]);
});
for (const kind of ["dragenter", "dragover"]) {
  document.addEventListener(kind, (event) => {
    event.preventDefault();
    document.body.classList.add("over");
  });
}
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) document.body.classList.remove("over");
});
document.addEventListener("drop", (event) => {
  event.preventDefault();
  document.body.classList.remove("over");
  send([...event.dataTransfer.files]);
});
