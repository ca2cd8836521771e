// The live picture with the drawing over it: one SVG in the picture's pixels, whose viewBox is the zoom.
// A figure is one shape of one section; its points are pairs 0 to 1, whatever the file's form.
let size = [1920, 1080];
let view = { x: 0, y: 0, w: 1920, h: 1080 };
let drawing = {};
let chosen = null; // { section, index, shape, part }
let point = null; // index of the chosen point
let draft = null; // { figure, points } while a new figure is being drawn
const fingers = new Map();
let drag = null;

const svg = by("picture");
const round = (value) => Math.round(value * 10000) / 10000;
const clamp = (value) => Math.min(1, Math.max(0, round(value)));

function sectionOf(key) { return table.sections.find((section) => section.key === key); }
function shapesOf(section) { return table.shapes.filter((shape) => shape.section === section); }
function fieldsOf(section) { return table.fields.filter((field) => field.section === section); }

function holder(section, index) {
  const { count } = sectionOf(section);
  if (count === "camera") return drawing;
  return count === "one" ? drawing[section] : drawing[section]?.[index];
}

function figures() {
  const all = [];
  for (const section of table.sections) {
    const entries = section.count === "many" ? (drawing[section.key] || []).map((_, i) => i) : [null];
    for (const index of entries) {
      const values = holder(section.key, index);
      for (const shape of shapesOf(section.key)) {
        const value = values?.[shape.key];
        if (!value) continue;
        const parts = shape.kind === "polygons" ? value.map((_, i) => i) : [null];
        for (const part of parts) all.push({ section: section.key, index, shape, part });
      }
    }
  }
  return all;
}

function same(a, b) {
  return !!a && !!b && a.section === b.section && a.index === b.index && a.shape === b.shape && a.part === b.part;
}

function pointsOf({ section, index, shape, part }) {
  const value = shape && holder(section, index)?.[shape.key];
  if (!value) return [];
  if (shape.kind === "box") return [[value[0], value[1]], [value[0] + value[2], value[1] + value[3]]];
  if (shape.kind === "survey") return value.map((mark) => mark.at);
  return shape.kind === "polygons" ? value[part] || [] : value;
}

function setPoints({ section, index, shape, part }, points) {
  const values = holder(section, index);
  if (shape.kind === "box") {
    const [a, b] = points;
    const [x, y] = [Math.min(a[0], b[0]), Math.min(a[1], b[1])];
    values[shape.key] = [round(x), round(y), round(Math.abs(a[0] - b[0])), round(Math.abs(a[1] - b[1]))];
  } else if (shape.kind === "survey") {
    const before = values[shape.key] || [];
    values[shape.key] = points.map((at, i) => ({ at, metres: before[i]?.metres || [0, 0] }));
  } else if (shape.kind === "polygons") {
    (values[shape.key] ||= [])[part] = points;
  } else {
    values[shape.key] = points;
  }
}

const closed = (kind) => kind === "polygon" || kind === "polygons";
const colour = (figure) => `c-${figure.section || (figure.shape.key === "approach" ? "" : figure.shape.key)}`;

function path(kind, points) {
  const pixel = ([x, y]) => `${(x * size[0]).toFixed(2)} ${(y * size[1]).toFixed(2)}`;
  if (kind === "box" && points.length === 2) {
    const [[x, y], [a, b]] = points;
    return `M${pixel([x, y])}L${pixel([a, y])}L${pixel([a, b])}L${pixel([x, b])}Z`;
  }
  if (kind === "survey" || !points.length) return "";
  return `M${points.map(pixel).join("L")}${closed(kind) ? "Z" : ""}`;
}

// Pixels of the picture for one pixel of the screen.
function unit() {
  const box = svg.getBoundingClientRect();
  return Math.max(view.w / Math.max(box.width, 1), view.h / Math.max(box.height, 1));
}

// Height of letters on the screen.
const letters = () => (innerWidth < 800 ? 10 : 13);

function paint() {
  svg.setAttribute("viewBox", `${view.x} ${view.y} ${view.w} ${view.h}`);
  const [image, u] = [by("image"), unit()];
  image.setAttribute("width", size[0]);
  image.setAttribute("height", size[1]);
  const shown = [];
  for (const figure of figures()) {
    const { shape } = figure;
    const points = pointsOf(figure);
    if (!points.length || draft && same(draft.figure, figure)) continue;
    const mine = same(chosen, figure);
    const classes = `figure ${colour(figure)} ${closed(shape.kind) || shape.kind === "box" ? "area" : ""} ${mine ? "chosen" : ""}`;
    const d = path(shape.kind, points);
    const select = () => { if (!draft) choose(figure); };
    if (d) shown.push(make("path", { class: "figure halo", d }), make("path", { class: classes, d, onclick: select }));
    if (shape.kind === "survey" && !mine) {
      for (const [x, y] of points) shown.push(make("circle", { class: classes, cx: x * size[0], cy: y * size[1], r: 6 * u, onclick: select }));
    }
    const arrow = shape.key === "direction" ? points[1] : null;
    if (arrow) shown.push(make("circle", { class: classes, cx: arrow[0] * size[0], cy: arrow[1] * size[1], r: 7 * u }));
    // In the middle of areas, beside lines, and inside the picture.
    const mean = (axis) => points.reduce((sum, p) => sum + p[axis], 0) / points.length;
    const [x, y] = closed(shape.kind) ? [mean(0), mean(1)] : points[0];
    const anchor = closed(shape.kind) ? "middle" : x > 0.75 ? "end" : "start";
    const beside = { middle: 0, start: 6 * u, end: -6 * u }[anchor];
    shown.push(make("text", { class: "label", x: x * size[0] + beside, y: y * size[1] - 7 * u, "font-size": letters() * u, "text-anchor": anchor }, label(figure)));
  }
  by("figures").replaceChildren(...shown);
  paintHandles(u);
}

function label(figure) {
  const values = holder(figure.section, figure.index);
  const section = sectionOf(figure.section);
  if (figure.section === "") return figure.shape[language];
  if (figure.section === "exits") return word("movement", values.movement);
  if (figure.section === "lamp") return values.name || section[language];
  return values.name ? `${section[language]} ${values.name}` : section[language];
}

function paintHandles(u) {
  const all = [];
  const figure = draft ? draft.figure : chosen;
  if (figure?.shape) {
    const points = draft ? draft.points : pointsOf(figure);
    const at = ([x, y]) => ({ cx: x * size[0], cy: y * size[1] });
    if (draft) all.push(make("path", { class: `figure ${colour(figure)} chosen`, d: path(figure.shape.kind, points) }));
    const { kind } = figure.shape;
    const open = !draft && (closed(kind) || kind === "line") && points.length < figure.shape.points[1];
    points.forEach((p, i) => {
      const next = points[i + 1] || (closed(kind) ? points[0] : null);
      if (!open || !next) return;
      const middle = [(p[0] + next[0]) / 2, (p[1] + next[1]) / 2];
      all.push(make("circle", { class: `between ${colour(figure)}`, ...at(middle), r: 6 * u, "data-between": i + 1 }));
    });
    points.forEach((p, i) => {
      all.push(make("circle", { class: `handle ${colour(figure)} ${i === point ? "chosen" : ""}`, ...at(p), r: 10 * u,
        tabindex: 0, role: "button", "aria-label": `${label(figure)} ${i + 1}`, "data-point": i,
        onkeydown: nudge, onfocus: () => { if (point !== i) { point = i; mark(); } } }));
      if (kind === "survey" || figure.shape.key === "direction") {
        all.push(make("text", { class: "label", x: p[0] * size[0] + 12 * u, y: p[1] * size[1] + 5 * u, "font-size": letters() * u }, String(i + 1)));
      }
    });
  }
  by("handles").replaceChildren(...all);
}

// The chosen point, without making every element anew: focus would be lost.
function mark() {
  for (const handle of by("handles").querySelectorAll(".handle")) {
    handle.classList.toggle("chosen", Number(handle.dataset.point) === point);
  }
  showPoint();
}

function nudge(event) {
  const step = event.shiftKey ? 0.01 : 0.001;
  const by_ = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[event.key];
  if (by_ && chosen && !draft) {
    const points = pointsOf(chosen).map((p) => [...p]);
    points[point] = [clamp(points[point][0] + by_[0]), clamp(points[point][1] + by_[1])];
    change(() => setPoints(chosen, points), "nudge");
    by("handles").querySelector(`[data-point="${point}"]`)?.focus();
    event.preventDefault();
  } else if ((event.key === "Delete" || event.key === "Backspace") && chosen && !draft) {
    removePoint();
    event.preventDefault();
  }
}

function removePoint() {
  const points = pointsOf(chosen).filter((_, i) => i !== point);
  if (point == null || points.length < chosen.shape.points[0]) return;
  const marks = holder(chosen.section, chosen.index)[chosen.shape.key];
  change(() => {
    if (chosen.shape.kind === "survey") marks.splice(point, 1);
    else setPoints(chosen, points);
    point = null;
  });
}

function where(event) {
  const matrix = svg.getScreenCTM();
  const p = new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix.inverse());
  return [p.x / size[0], p.y / size[1]];
}

function zoom(factor, centre = [view.x + view.w / 2, view.y + view.h / 2]) {
  const w = Math.min(size[0], Math.max(size[0] / 16, view.w / factor));
  const real = view.w / w;
  view = { x: centre[0] - (centre[0] - view.x) / real, y: centre[1] - (centre[1] - view.y) / real, w, h: view.h / real };
  keepInside();
}

function keepInside() {
  view.x = Math.min(Math.max(0, view.x), size[0] - view.w);
  view.y = Math.min(Math.max(0, view.y), size[1] - view.h);
  paint();
}

function whole() {
  view = { x: 0, y: 0, w: size[0], h: size[1] };
  paint();
}

svg.addEventListener("pointerdown", (event) => {
  fingers.set(event.pointerId, [event.clientX, event.clientY]);
  svg.setPointerCapture(event.pointerId);
  const { target } = event;
  if (fingers.size === 2) { drag = { kind: "pinch" }; return; }
  const start = { x: event.clientX, y: event.clientY, moved: false, target };
  if (!draft && target.dataset.point != null) {
    point = Number(target.dataset.point);
    drag = { ...start, kind: "point" };
    target.focus();
  } else if (!draft && target.dataset.between != null) {
    const at = Number(target.dataset.between);
    const points = pointsOf(chosen).map((p) => [...p]);
    points.splice(at, 0, where(event).map(clamp));
    change(() => setPoints(chosen, points));
    point = at;
    drag = { ...start, kind: "point", moved: true };
  } else {
    drag = { ...start, kind: "pan", view: { ...view } };
  }
});

svg.addEventListener("pointermove", (event) => {
  if (!fingers.has(event.pointerId) || !drag) return;
  const before = [...fingers.values()];
  fingers.set(event.pointerId, [event.clientX, event.clientY]);
  if (drag.kind === "pinch" && fingers.size === 2) {
    const apart = (all) => Math.hypot(all[0][0] - all[1][0], all[0][1] - all[1][1]);
    const now = [...fingers.values()];
    const middle = where({ clientX: (now[0][0] + now[1][0]) / 2, clientY: (now[0][1] + now[1][1]) / 2 });
    zoom(apart(now) / Math.max(apart(before), 1), [middle[0] * size[0], middle[1] * size[1]]);
    return;
  }
  const far = Math.hypot(event.clientX - drag.x, event.clientY - drag.y);
  if (!drag.moved && far < 5) return;
  if (drag.kind === "point") {
    const points = pointsOf(chosen).map((p) => [...p]);
    points[point] = where(event).map(clamp);
    change(() => setPoints(chosen, points), drag.moved ? "drag" : null);
  } else if (drag.kind === "pan") {
    const u = unit();
    view.x = drag.view.x - (event.clientX - drag.x) * u;
    view.y = drag.view.y - (event.clientY - drag.y) * u;
    keepInside();
  }
  drag.moved = true;
});

function lift(event) {
  const ended = drag;
  fingers.delete(event.pointerId);
  if (fingers.size) return;
  drag = null;
  if (!ended || event.type === "pointercancel") return;
  if (ended.kind === "point" && !ended.moved) { mark(); return; }
  if (ended.kind === "pan" && !ended.moved) {
    if (draft) place(where(event));
    // Captured by the picture, the click does not reach the figure by itself.
    else ended.target.dispatchEvent(new MouseEvent("click"));
  }
}
svg.addEventListener("pointerup", lift);
svg.addEventListener("pointercancel", lift);
svg.addEventListener("wheel", (event) => {
  event.preventDefault();
  const [x, y] = where(event);
  zoom(event.deltaY < 0 ? 1.25 : 0.8, [x * size[0], y * size[1]]);
}, { passive: false });
new ResizeObserver(() => { if (table) paint(); }).observe(svg);
