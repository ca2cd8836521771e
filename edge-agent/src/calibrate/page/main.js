// Ties picture, panel and box together: what was changed is kept for undoing, checked at the box, and
// saved when asked.
let camera = null;
let page = null;
let token = "";
let past = [];
let future = [];
let lastKind = null;
let saved = "";
let waiting = null;
let trialNumber = 0;
let trialState = { state: "none" };
let trialShown = "";
let shownNumber = -1;
let pictureUrl = null;
// Nothing is edited while a camera is loaded or its drawing saved.
let busy = false;
// Counts of cameras opened and of checks asked for: only the latest one's answer is looked at.
let openings = 0;
let checks = 0;
// Signed out: what was drawn is kept for after signing in.
let leaving = false;
const KEPT = "drawing";

class Refused extends Error {
  constructor(body) { super(body.words); this.body = body; }
}

async function ask(path, body) {
  const options = body === undefined ? {} : { method: "POST", headers: { "content-type": "application/json", "x-csrf-token": token }, body: JSON.stringify(body) };
  const response = await fetch(path, options);
  if (response.status === 401) leave();
  token = response.headers.get("x-csrf-token") || token;
  by("token").value = token;
  if (response.ok) return response;
  let said = null;
  try { said = await response.json(); } catch { said = { error: "other", words: response.statusText }; }
  throw new Refused(said);
}

const at = (id, rest) => `/api/camera/${encodeURIComponent(id)}${rest}`;
const of = (rest) => at(camera, rest);
const drawn = () => ({ camera, drawing, revision: page.revision });
const dirty = () => !!page && JSON.stringify(drawing) !== saved;

function lock(on) {
  busy = on;
  if (on) drag = null;
  document.querySelector("main").inert = on;
  if (page) showState();
}

// To sign in again, with the drawing kept in this tab.
function leave() {
  if (dirty()) sessionStorage.setItem(KEPT, JSON.stringify(drawn()));
  leaving = true;
  lock(true);
  location.href = "/login";
}

function keptDrawing() {
  return JSON.parse(sessionStorage.getItem(KEPT));
}

// Offers what was kept when the session ended. Its entries are numbered as they were in its revision.
function offer() {
  const kept = keptDrawing();
  if (!kept) return;
  if (kept.camera !== camera || kept.revision !== page.revision) say(t("kept_old"), "wrong");
  else if (confirm(t("kept"))) change(() => { drawing = kept.drawing; });
  sessionStorage.removeItem(KEPT);
}

function say(words, kind = "") {
  by("said").className = kind;
  by("said").textContent = words;
}

function complain(error) {
  const known = error.body && TEXT[error.body.error];
  say(known && error.body.error !== "complaints" ? t(error.body.error) : error.body ? error.message : t("away"), "wrong");
}

// One change of the drawing; changes of one kind in a row are undone together.
function change(what, kind = null) {
  if (busy) return;
  if (!kind || kind !== lastKind) {
    past.push(JSON.stringify(drawing));
    if (past.length > 100) past.shift();
  }
  lastKind = kind;
  future = [];
  what();
  changed();
}

function changed() {
  paint();
  renewEditor();
  showThings();
  showState();
  clearTimeout(waiting);
  waiting = setTimeout(check, 300);
}

function step(from, to) {
  if (!from.length || draft || busy) return;
  to.push(JSON.stringify(drawing));
  drawing = JSON.parse(from.pop());
  lastKind = null;
  if (chosen?.shape && !pointsOf(chosen).length) chosen = null;
  point = null;
  changed();
}

function showState() {
  by("undo").disabled = !past.length || !!draft;
  by("redo").disabled = !future.length || !!draft;
  by("save").disabled = busy || !dirty() || checked.complaints.length > 0 || !!draft;
  if (checked.changed) say(t("changed"), "wrong");
  else if (checked.complaints.length) say(`${t("complaints")}: ${checked.complaints.length}`, "wrong");
  else if (dirty()) say(t("unsaved"));
}

function choose(figure) {
  lastKind = null;
  chosen = figure;
  point = figure ? 0 : null;
  paint();
  showEditor();
  showThings();
  if (figure) by("panel").scrollTop = 0;
}

function fresh(section) {
  const values = {};
  for (const field of fieldsOf(section.key)) if (field.first) values[field.key] = JSON.parse(field.first);
  const used = (drawing[section.key] || []).length ? drawing[section.key].map((it) => it.name) : [];
  for (let n = 1; values.name && used.includes(values.name); n++) values.name = String(n);
  return values;
}

// A new section, with its first shape to be drawn.
function add(section) {
  const [shape] = shapesOf(section.key);
  change(() => {
    if (section.count === "many") (drawing[section.key] ||= []).push(fresh(section));
    else drawing[section.key] = fresh(section);
  });
  const index = section.count === "many" ? drawing[section.key].length - 1 : null;
  const figure = { section: section.key, index, shape: shape || null, part: null };
  if (shape) begin(figure); else choose(figure);
}

function removeThing() {
  const { section, index, shape, part } = chosen;
  change(() => {
    if (section === "" && part != null) {
      drawing[shape.key].splice(part, 1);
      if (!drawing[shape.key].length) delete drawing[shape.key];
    } else if (section === "") delete drawing[shape.key];
    else if (index == null) delete drawing[section];
    else {
      drawing[section].splice(index, 1);
      if (!drawing[section].length) delete drawing[section];
    }
    chosen = null;
  });
}

// Draws a figure anew, or `more` of its points.
function begin(figure, more = false) {
  chosen = figure;
  draft = { figure, points: more ? pointsOf(figure).map((p) => [...p]) : [] };
  point = null;
  hint();
  paint();
  showEditor();
  showState();
  svg.focus({ preventScroll: true });
}

function hint() {
  const text = by("hint");
  const on = !!draft;
  by("done").hidden = !on || draft.points.length < draft.figure.shape.points[0];
  by("cancel").hidden = !on;
  if (!on) { text.replaceChildren(); return; }
  const { kind, points } = draft.figure.shape;
  const n = draft.points.length;
  const words = kind === "box" ? t("tap_box") : n >= points[0] ? t("tap_end", { n }) : t("tap", { n: n + 1 });
  text.replaceChildren(make("span", {}, `${label(draft.figure)} – ${words}`));
}

function place(at) {
  draft.points.push(at.map(clamp));
  if (draft.points.length >= draft.figure.shape.points[1]) finish();
  else { hint(); paint(); }
}

function finish() {
  const { figure, points } = draft;
  if (points.length < figure.shape.points[0]) return;
  draft = null;
  change(() => setPoints(figure, points));
  hint();
  choose(figure);
  showState();
}

function cancel() {
  draft = null;
  hint();
  paint();
  showEditor();
  showState();
}

async function check() {
  const mine = ++checks;
  try {
    const answer = await (await ask(of("/check"), drawn())).json();
    if (mine !== checks) return;
    checked = answer;
  } catch (error) {
    if (mine !== checks) return;
    complain(error);
  }
  showComplaints();
  showThings();
  showSurvey();
  showState();
}

function opened(answer) {
  page = answer;
  drawing = page.drawing;
  saved = JSON.stringify(drawing);
  // A check on its way is of what was there before.
  checks++;
  checked.changed = false;
}

async function save() {
  if (busy) return;
  lock(true);
  by("camera").disabled = true;
  try {
    opened(await (await ask(of("/save"), drawn())).json());
    past = [];
    future = [];
    release();
    choose(null);
    changed();
    say(t("saved", { file: page.file }), "good");
  } catch (error) {
    if (error.body?.complaints?.length) checked.complaints = error.body.complaints;
    release();
    showComplaints();
    complain(error);
  }
}

function release() {
  by("camera").disabled = false;
  lock(leaving);
}

async function tryIt() {
  try {
    await ask(of("/trial"), drawn());
    trialNumber++;
  } catch (error) { complain(error); }
}

async function look() {
  if (document.hidden) return;
  const id = camera;
  const state = await (await ask(at(id, "/live"))).json();
  if (id !== camera) return;
  if (state.number !== shownNumber && state.number > 0) {
    const response = await ask(at(id, "/picture"));
    const picture = await response.blob();
    if (id !== camera) return;
    const url = URL.createObjectURL(picture);
    by("image").setAttribute("href", url);
    if (pictureUrl) URL.revokeObjectURL(pictureUrl);
    pictureUrl = url;
    shownNumber = state.number;
  }
  if (state.size[0] && (state.size[0] !== size[0] || state.size[1] !== size[1])) {
    size = state.size;
    whole();
  }
  const box = ([x, y, w, h]) => make("rect", { class: "vehicle", x: x * size[0], y: y * size[1], width: w * size[0], height: h * size[1] });
  by("found").replaceChildren(...state.vehicles.map(box));
  showLamps(state.lamps);
  by("again").hidden = !state.over;
  const words = state.over ? t("over") : t(state.status.state);
  by("status").textContent = state.status.detail ? `${words}: ${state.status.detail}` : words;
  const trial = await (await ask(at(id, "/trial"))).json();
  if (id !== camera) return;
  trialState = { ...trial, number: trialNumber };
  const shown = JSON.stringify([trialState, Math.floor(state.kept / 2), state.detects, checked.complaints.length > 0, language]);
  if (shown !== trialShown) {
    trialShown = shown;
    showTrial(trialState, state.kept, state.detects);
  }
}

async function looking() {
  for (;;) {
    try { await look(); } catch (error) { if (!(error instanceof Refused)) by("status").textContent = t("away"); }
    await new Promise((then) => setTimeout(then, 600));
  }
}

// The camera shown changes with its drawing, all at once: nothing of one is ever sent for another.
async function open(id) {
  const mine = ++openings;
  clearTimeout(waiting);
  lock(true);
  let answer;
  try {
    answer = await (await ask(at(id, ""))).json();
  } catch (error) {
    if (mine !== openings) return;
    if (page && !leaving) {
      by("camera").value = camera;
      lock(false);
      changed();
    }
    throw error;
  }
  if (mine !== openings) return;
  camera = id;
  by("camera").value = id;
  [past, future, chosen, point, draft, shownNumber] = [[], [], null, null, null, -1];
  checked = { complaints: [], survey: null, acts: [], index: 0 };
  opened(answer);
  lock(leaving);
  hint();
  whole();
  changed();
  say(page.file.split("/").pop());
  by("said").title = page.file;
}

function label_() {
  document.documentElement.lang = language;
  document.title = t("title");
  by("title").textContent = t("title");
  by("camera-label").textContent = t("camera");
  for (const id of ["language", "leave", "save", "again", "done", "cancel"]) by(id).textContent = t(id);
  for (const id of ["undo", "redo", "nearer", "farther", "whole"]) {
    by(id).title = t(id);
    by(id).setAttribute("aria-label", t(id));
  }
  svg.setAttribute("aria-label", t("things"));
}

by("undo").addEventListener("click", () => step(past, future));
by("redo").addEventListener("click", () => step(future, past));
by("nearer").addEventListener("click", () => zoom(1.5));
by("farther").addEventListener("click", () => zoom(1 / 1.5));
by("whole").addEventListener("click", whole);
by("done").addEventListener("click", finish);
by("cancel").addEventListener("click", cancel);
by("save").addEventListener("click", save);
by("again").addEventListener("click", () => ask(of("/again"), {}).catch(complain));
by("camera").addEventListener("change", (event) => {
  if (dirty() && !confirm(t("unsaved"))) { event.target.value = camera; return; }
  open(event.target.value).catch(complain);
});
by("language").addEventListener("click", () => {
  language = language === "vi" ? "en" : "vi";
  localStorage.setItem("language", language);
  label_();
  hint();
  changed();
  showComplaints();
});
document.addEventListener("keydown", (event) => {
  if (event.target.matches("input, select")) return;
  const control = event.ctrlKey || event.metaKey;
  if (control && event.key.toLowerCase() === "z") { event.preventDefault(); if (event.shiftKey) step(future, past); else step(past, future); }
  else if (control && event.key.toLowerCase() === "s") { event.preventDefault(); if (!by("save").disabled) save(); }
  else if (busy) return;
  else if (event.key === "Escape") { if (draft) cancel(); else choose(null); }
  else if (event.key === "Enter" && draft) finish();
  else if (event.key === "Backspace" && draft) { draft.points.pop(); hint(); paint(); }
  else if (event.key === "+") zoom(1.25);
  else if (event.key === "-") zoom(0.8);
});
window.addEventListener("beforeunload", (event) => { if (dirty() && !leaving) event.preventDefault(); });

async function start() {
  table = await (await ask("/api/table")).json();
  label_();
  by("camera").replaceChildren(...table.cameras.map((id) => make("option", { value: id }, id)));
  const kept = keptDrawing();
  await open(table.cameras.includes(kept?.camera) ? kept.camera : table.cameras[0]);
  offer();
  looking();
}
start().catch(complain);
