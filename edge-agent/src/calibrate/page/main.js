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

class Refused extends Error {
  constructor(body) { super(body.words); this.body = body; }
}

async function ask(path, body) {
  const options = body === undefined ? {} : { method: "POST", headers: { "content-type": "application/json", "x-csrf-token": token }, body: JSON.stringify(body) };
  const response = await fetch(path, options);
  if (response.status === 401) { saved = JSON.stringify(drawing); location.href = "/login"; }
  token = response.headers.get("x-csrf-token") || token;
  by("token").value = token;
  if (response.ok) return response;
  let said = null;
  try { said = await response.json(); } catch { said = { error: "other", words: response.statusText }; }
  throw new Refused(said);
}

const of = (rest) => `/api/camera/${encodeURIComponent(camera)}${rest}`;

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
  if (!from.length || draft) return;
  to.push(JSON.stringify(drawing));
  drawing = JSON.parse(from.pop());
  lastKind = null;
  if (chosen?.shape && !pointsOf(chosen).length) chosen = null;
  point = null;
  changed();
}

function showState() {
  const dirty = JSON.stringify(drawing) !== saved;
  by("undo").disabled = !past.length || !!draft;
  by("redo").disabled = !future.length || !!draft;
  by("save").disabled = !dirty || checked.complaints.length > 0 || !!draft;
  if (checked.changed) say(t("changed"), "wrong");
  else if (checked.complaints.length) say(`${t("complaints")}: ${checked.complaints.length}`, "wrong");
  else if (dirty) say(t("unsaved"));
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
  try {
    checked = await (await ask(of("/check"), { drawing, revision: page.revision })).json();
  } catch (error) { complain(error); }
  showComplaints();
  showThings();
  showSurvey();
  showState();
}

function opened(answer) {
  page = answer;
  drawing = page.drawing;
  saved = JSON.stringify(drawing);
}

async function save() {
  by("save").disabled = true;
  try {
    opened(await (await ask(of("/save"), { drawing, revision: page.revision })).json());
    past = [];
    future = [];
    choose(null);
    changed();
    say(t("saved", { file: page.file }), "good");
  } catch (error) {
    if (error.body?.complaints?.length) checked.complaints = error.body.complaints;
    showComplaints();
    complain(error);
  }
}

async function tryIt() {
  try {
    await ask(of("/trial"), { drawing, revision: page.revision });
    trialNumber++;
  } catch (error) { complain(error); }
}

async function look() {
  if (document.hidden) return;
  const state = await (await ask(of("/live"))).json();
  if (state.number !== shownNumber && state.number > 0) {
    const response = await ask(of("/picture"));
    const url = URL.createObjectURL(await response.blob());
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
  trialState = { ...await (await ask(of("/trial"))).json(), number: trialNumber };
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

async function open(id) {
  camera = id;
  [past, future, chosen, point, draft, shownNumber] = [[], [], null, null, null, -1];
  opened(await (await ask(of(""))).json());
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
  if (JSON.stringify(drawing) !== saved && !confirm(t("unsaved"))) { event.target.value = camera; return; }
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
  else if (event.key === "Escape") { if (draft) cancel(); else choose(null); }
  else if (event.key === "Enter" && draft) finish();
  else if (event.key === "Backspace" && draft) { draft.points.pop(); hint(); paint(); }
  else if (event.key === "+") zoom(1.25);
  else if (event.key === "-") zoom(0.8);
});
window.addEventListener("beforeunload", (event) => { if (JSON.stringify(drawing) !== saved) event.preventDefault(); });

async function start() {
  table = await (await ask("/api/table")).json();
  label_();
  by("camera").replaceChildren(...table.cameras.map((id) => make("option", { value: id }, id)));
  await open(table.cameras[0]);
  looking();
}
start().catch(complain);
