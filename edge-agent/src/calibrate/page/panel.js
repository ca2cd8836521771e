// The panel beside the picture: what is drawn, the chosen thing's numbers and fields, lamps as read,
// complaints and the trial.
let checked = { complaints: [], survey: null, acts: [], index: 0 };

const button = (text, onclick, attributes = {}) => make("button", { type: "button", onclick, ...attributes }, text);

function named(section, index) {
  const values = holder(section.key, index) || {};
  const own = values.name || (values.movement && word("movement", values.movement));
  return own || section[language];
}

// Whether a complaint is about this thing.
function about(complaint, section, index, key) {
  const mine = complaint.key.replace(`camera[${checked.index}].`, "");
  if (mine === complaint.key) return false;
  if (section === "") return mine === key || mine.startsWith(`${key}[`);
  const name = index == null ? section : `${section}[${index}]`;
  return mine === name || mine.startsWith(`${name}.`);
}

function showThings() {
  const groups = table.sections.map((section) => {
    const buttons = [];
    if (section.count === "camera") {
      for (const shape of shapesOf("")) {
        const parts = shape.kind === "polygons" ? (drawing[shape.key] || []).map((_, i) => i) : drawing[shape.key] ? [null] : [];
        for (const part of parts) buttons.push(thing({ section: "", index: null, shape, part }, shape[language], shape.key));
        if (!parts.length || shape.kind === "polygons") {
          const part = shape.kind === "polygons" ? parts.length : null;
          buttons.push(button(`+ ${shape[language]}`, () => begin({ section: "", index: null, shape, part }), { class: "add", "data-add": shape.key }));
        }
      }
    } else {
      const entries = section.count === "many" ? (drawing[section.key] || []).map((_, i) => i) : drawing[section.key] ? [null] : [];
      for (const index of entries) {
        const shape = shapesOf(section.key)[0] || null;
        buttons.push(thing({ section: section.key, index, shape, part: null }, named(section, index), section.key));
      }
      if (!entries.length || section.count === "many") {
        buttons.push(button(`+ ${t("add")}`, () => add(section), { class: "add", "data-add": section.key }));
      }
    }
    return make("div", { class: "group" }, make("b", {}, section[language]), ...buttons);
  });
  const elsewhere = page.elsewhere.map((it) => make("p", { class: "muted" }, `${t("elsewhere")}: ${it.key} (${it.file})`));
  by("things").replaceChildren(make("h2", {}, t("things")), ...groups, ...elsewhere);
}

function thing(figure, text, key) {
  const bad = checked.complaints.some((it) => about(it, figure.section, figure.index, figure.shape?.key));
  const mine = chosen && chosen.section === figure.section && chosen.index === figure.index &&
    (figure.section !== "" || same(chosen, figure));
  const tone = figure.section || (key === "approach" ? "" : key);
  const attributes = { class: `thing ${mine ? "chosen" : ""} ${bad ? "bad" : ""}`, "aria-pressed": String(!!mine), "data-thing": key };
  return make("button", { type: "button", onclick: () => choose(figure), ...attributes }, make("i", { class: `c-${tone}` }), text);
}

function showEditor() {
  const editor = by("editor");
  if (!chosen) { editor.replaceChildren(); return; }
  const { section, index } = chosen;
  const of = sectionOf(section);
  const values = holder(section, index);
  if (!values) { chosen = null; editor.replaceChildren(); return; }
  const shapes = section === "" ? [chosen.shape] : shapesOf(section);
  const parts = [make("h2", {}, section === "" ? chosen.shape[language] : [...new Set([of[language], named(of, index)])].join(": "))];
  for (const field of fieldsOf(section)) parts.push(fieldRow(field, values));
  for (const shape of shapes) {
    const figure = section === "" ? chosen : { section, index, shape, part: null };
    const drawn = pointsOf(figure).length > 0;
    const row = [make("span", {}, shape[language])];
    row.push(button(drawn ? t("redraw") : t("draw"), () => begin(figure), { "data-draw": shape.key }));
    if (drawn && !same(figure, chosen)) row.push(button("✎", () => choose(figure), { "aria-label": shape[language] }));
    if (drawn && shape.kind === "survey") row.push(button(t("add_point"), () => begin(figure, true), { "data-more": shape.key }));
    parts.push(make("div", { class: "row" }, ...row));
    if (drawn && same(figure, chosen)) parts.push(numbers(figure));
    if (shape.kind === "survey") parts.push(make("div", { id: "survey" }));
  }
  const last = make("div", { class: "row" });
  if (chosen.shape && chosen.shape.points[1] > 2) last.append(button(t("remove_point"), removePoint));
  last.append(button(t("remove"), removeThing, { "data-remove": "" }), button(t("close"), () => choose(null)));
  parts.push(last);
  editor.replaceChildren(...parts.filter(Boolean));
  showSurvey();
}

// The editor made anew once the focus has gone where it goes, and kept there.
function renewEditor() {
  setTimeout(() => {
    const editor = by("editor");
    const controls = () => [...editor.querySelectorAll("input, select, button")];
    const at = controls().indexOf(document.activeElement);
    showEditor();
    if (at >= 0) controls()[at]?.focus({ preventScroll: true });
  }, 0);
}

function fieldRow(field, values) {
  const put = (value) => change(() => { if (value === undefined) delete values[field.key]; else values[field.key] = value; });
  const now = values[field.key];
  const id = `field-${field.key}`;
  const name = make("label", { for: id }, field.called[language]);
  const data = { id, "data-field": field.key };
  if (field.kind === "several") {
    const toggle = (one, on) => {
      const list = field.of.filter((it) => (it === one ? on : (now || []).includes(it)));
      put(list.length ? list : undefined);
    };
    const picks = field.of.map((one) => make("label", { class: "pick" },
      make("input", { type: "checkbox", checked: (now || []).includes(one), "data-pick": `${field.key}:${one}`, onchange: (event) => toggle(one, event.target.checked) }), word(field.key, one)));
    return make("div", { class: "row" }, make("span", {}, field.called[language]), ...picks);
  }
  if (field.kind === "flag") {
    return make("div", { class: "row" }, make("label", { class: "pick" },
      make("input", { type: "checkbox", checked: now === true, ...data, onchange: (event) => put(event.target.checked || undefined) }), field.called[language]));
  }
  if (field.kind === "one") {
    const choices = field.of.map((one) => make("option", { value: one, selected: one === now }, word(field.key, one)));
    if (!field.first) choices.unshift(make("option", { value: "", selected: now == null }, t("default_")));
    return make("div", { class: "row" }, name, make("select", { ...data, onchange: (event) => put(event.target.value || undefined) }, ...choices));
  }
  const number = field.kind === "number";
  const text = field.kind === "spans" ? (now || []).join(", ") : now ?? "";
  const read = (typed) => {
    if (typed.trim() === "") return undefined;
    if (number) return Number(typed);
    return field.kind === "spans" ? typed.split(",").map((it) => it.trim()).filter(Boolean) : typed;
  };
  const input = make("input", { type: number ? "number" : "text", step: "any", value: text, maxlength: 200, ...data,
    placeholder: field.kind === "spans" ? "06:00-09:00, 16:00-20:00" : null, onchange: (event) => put(read(event.target.value)) });
  return make("div", { class: "row" }, name, input, number ? make("span", { class: "muted" }, field.unit) : null);
}

// The chosen figure's numbers as the file has them.
function numbers(figure) {
  const { kind } = figure.shape;
  const cell = (value, put, name) => make("td", {}, make("input", { type: "number", step: kind === "survey" ? "any" : "0.001", value: round(value), "aria-label": name,
    onchange: (event) => { const typed = Number(event.target.value); if (event.target.value && Number.isFinite(typed)) change(() => put(typed)); } }));
  if (kind === "box") {
    const box = holder(figure.section, figure.index)[figure.shape.key];
    const names = ["x", "y", "width", "height"];
    return make("table", {}, make("tr", {}, ...names.map((name) => make("th", {}, t(name)))),
      make("tr", {}, ...box.map((value, i) => cell(value, (typed) => { box[i] = clamp(typed); }, t(names[i])))));
  }
  const points = pointsOf(figure);
  const survey = kind === "survey" ? holder(figure.section, figure.index)[figure.shape.key] : null;
  const head = ["", "x", "y", ...(survey ? ["metres_x", "metres_y", "miss"] : [])].map((name) => make("th", {}, name ? t(name) : ""));
  const rows = points.map((p, i) => {
    const cells = [make("td", {}, String(i + 1)), cell(p[0], (typed) => { p[0] = clamp(typed); }, `x ${i + 1}`), cell(p[1], (typed) => { p[1] = clamp(typed); }, `y ${i + 1}`)];
    if (survey) {
      const { metres } = survey[i];
      cells.push(cell(metres[0], (typed) => { metres[0] = typed; }, `${t("metres_x")} ${i + 1}`), cell(metres[1], (typed) => { metres[1] = typed; }, `${t("metres_y")} ${i + 1}`));
      cells.push(make("td", { "data-miss": i }));
    }
    return make("tr", { class: i === point ? "chosen" : "", "data-row": i, onfocusin: () => { point = i; mark(); } }, ...cells);
  });
  return make("table", {}, make("tr", {}, ...head), ...rows);
}

function showPoint() {
  for (const row of by("editor").querySelectorAll("[data-row]")) row.classList.toggle("chosen", Number(row.dataset.row) === point);
}

// What the survey is worth, beside its numbers: told while others are typed.
function showSurvey() {
  const survey = checked.survey;
  const words = by("editor").querySelector("#survey");
  if (!words || !survey) return;
  for (const cell of by("editor").querySelectorAll("[data-miss]")) {
    const miss = survey.worth?.misses[cell.dataset.miss];
    cell.textContent = miss ? `${miss.metres.toFixed(2)} m` : "";
  }
  if (survey.worthless) {
    words.replaceChildren(make("p", { class: "wrong" }, t("survey_bad") + survey.worthless));
    return;
  }
  const { residual, residual_pixels, length, sightings, uncertainty, limit, accused_from } = survey.worth;
  const values = { m: residual?.toFixed(2) ?? "?", px: residual_pixels?.toFixed(1) ?? "?", length: length.toFixed(1), limit, n: sightings,
    u: uncertainty?.toFixed(1), from: accused_from && Math.ceil(accused_from) };
  const seldom = uncertainty == null;
  words.replaceChildren(make("p", { class: seldom ? "wrong" : "" }, t(seldom ? "survey_seldom" : "survey_good", values)),
    ...(residual == null ? [make("p", { class: "muted" }, t("survey_four"))] : []));
}

function showLamps(lamps) {
  const line = (lamp) => {
    const light = (name) => (name ? table.words[language].lamp[name] || t(name) : t("nothing"));
    return make("li", {}, make("i", { class: `light ${lamp.confirmed || ""}` }), `${lamp.name}: ${light(lamp.now)} · ${t("confirmed")}: ${light(lamp.confirmed)}`);
  };
  by("lamps").replaceChildren(...(lamps.length ? [make("h2", {}, t("lamps")), make("ul", {}, ...lamps.map(line))] : []));
}

function showComplaints() {
  const { complaints, acts } = checked;
  if (!complaints.length) {
    const judged = acts.length ? acts.map(act).join(", ") : t("no_acts");
    by("complaints").replaceChildren(make("span", { class: "good" }, t("no_complaints") + judged));
    return;
  }
  const line = (complaint) => {
    const at = complaint.file ? `${complaint.file.split("/").pop()}, ${t("line")} ${complaint.line}: ` : "";
    const figure = figures().find((it) => about(complaint, it.section, it.index, it.shape.key));
    return make("li", {}, button(`${at}${complaint.key} ${complaint.problem}`, () => { if (figure) choose(figure); }, { class: "wrong" }));
  };
  by("complaints").replaceChildren(make("h2", {}, `${t("complaints")} (${complaints.length})`), make("ul", {}, ...complaints.slice(0, 20).map(line)));
}

function showTrial(state, kept, detects) {
  const parts = [make("h2", {}, t("trial"))];
  const running = state.state === "running";
  if (!detects) parts.push(make("p", { class: "muted" }, t("no_eyes")));
  parts.push(button(t("try_it", { n: Math.floor(kept) }), tryIt, { id: "try", disabled: running || !detects || kept < 1 || checked.complaints.length > 0 }));
  if (running) parts.push(make("p", {}, t("trying", state)), make("progress", { value: state.done, max: state.of }));
  if (state.state === "failed") parts.push(make("p", { class: "wrong" }, state.why));
  if (state.state === "done") {
    const { accused, more, unaccused, tracks, seconds, cut_short } = state.outcome;
    parts.push(make("p", { class: "muted" }, t("tried", { seconds: seconds.toFixed(0), tracks })));
    if (cut_short) parts.push(make("p", { class: "wrong" }, t("cut_short")));
    parts.push(make("h2", { id: "would" }, t("would", { n: accused.length + more })));
    accused.forEach((one, i) => parts.push(make("div", { class: "would", "data-act": one.act, "data-at": one.at.toFixed(1) },
      make("b", {}, `${one.at.toFixed(1)} s · ${table.words[language].vehicle[one.vehicle] || one.vehicle}`),
      make("span", {}, language === "vi" ? one.caption || act(one.act) : act(one.act)),
      make("img", { src: `/api/camera/${encodeURIComponent(camera)}/trial/${i}?of=${state.number}`, alt: act(one.act), loading: "lazy" }),
      make("small", {}, `${one.reason} · ${t(one.plate_read ? "plate_read" : "plate_unread")}`))));
    if (more) parts.push(make("p", {}, t("more", { n: more })));
    if (unaccused.length) {
      const rows = unaccused.map((it) => make("tr", {}, make("td", {}, String(it.count)), make("td", {}, act(it.act)), make("td", {}, reason(it.reason))));
      parts.push(make("h2", {}, t("others")), make("table", {}, ...rows));
    }
  }
  by("trial").replaceChildren(...parts);
}
