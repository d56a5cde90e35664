// What the explorer draws and writes, from the data of one video and a time in seconds.
"use strict";
const explorerView = (() => {
  const {classes, methods} = window.EXPLORER;
  const ROW = 46; // pixels
  const byId = (name) => document.getElementById(`explorer-${name}`);

  function element(tag, text, about = {}) {
    const made = document.createElement(tag);
    made.textContent = text;
    return Object.assign(made, about);
  }

  // [class, frames, …] -> segments with start and end in seconds.
  function segments(runs, fps) {
    const found = [];
    for (let place = 0, frame = 0; place < runs.length; place += 2) {
      const start = frame / fps;
      frame += runs[place + 1];
      found.push({label: runs[place], start, end: frame / fps});
    }
    return found;
  }

  const at = (found, time) => found.find((one) => time < one.end) ?? null;
  const length = (found) => found.at(-1).end;

  // Where a row differs from the truth: {label, truth, start, end}. Beyond the truth's end nothing can be wrong.
  function differences(row, truth) {
    const found = [];
    for (let i = 0, j = 0; i < row.length && j < truth.length; ) {
      const start = Math.max(row[i].start, truth[j].start);
      const end = Math.min(row[i].end, truth[j].end);
      if (row[i].label !== truth[j].label && end > start) found.push({label: row[i].label, truth: truth[j].label, start, end});
      if (row[i].end <= truth[j].end) i += 1;
      else j += 1;
    }
    return found;
  }

  // Truth and the methods that are shown, as rows from top to bottom.
  function rowsOf(video, shown) {
    const truth = segments(video.truth, video.fps);
    const rows = video.rows.filter((row) => shown.has(row.method)).map((row) => {
      const found = segments(row.runs, video.fps);
      return {name: methods[row.method].name, found, wrong: differences(found, truth), scores: row.scores};
    });
    return [{name: "truth", found: truth, wrong: null}, ...rows];
  }

  function verdict(row, one, end) {
    if (row.wrong === null) return "";
    if (one.start >= end) return "after the end of the truth";
    const parts = row.wrong.filter((part) => part.start < one.end && part.end > one.start);
    const wrong = parts.reduce((sum, part) => sum + part.end - part.start, 0);
    const whole = Math.min(one.end, end) - one.start;
    if (!parts.length) return "right";
    const truth = `truth: ${[...new Set(parts.map((part) => classes[part.truth].name))].join(", ")}`;
    if (wrong > whole - 1e-9) return `wrong; ${truth}`;
    return `right for ${(whole - wrong).toFixed(2)} of ${whole.toFixed(2)} s; elsewhere ${truth}`;
  }

  function text(row) {
    if (!row.scores) return row.name;
    const [accuracy, edit, f1] = row.scores.map((score) => score.toFixed(1));
    return `${row.name} · acc ${accuracy} · edit ${edit} · F1@50 ${f1}`;
  }

  function columns(names, records) {
    return Object.fromEntries(names.map((name) => [name, records.map((record) => record[name])]));
  }

  // Fill the sources of the Bokeh figure.
  function draw(plot, rows, strip) {
    const end = length(rows[0].found);
    const told = (row, one) => ({
      left: one.start, right: one.end, name: classes[one.label].name, row: row.name,
      start: one.start, end: one.end, seconds: one.end - one.start,
    });
    const bars = rows.flatMap((row, y) => row.found.map((one) => {
      const {colour, ink, pattern} = classes[one.label];
      return {...told(row, one), y: y + 0.62, colour, ink, pattern, verdict: verdict(row, one, end)};
    }));
    const wrong = rows.flatMap((row, y) => (row.wrong ?? []).map((one) => (
      {...told(row, one), y: y + 0.91, truth: classes[one.truth].name})));
    const set = (name, records) => {
      const source = plot.document.get_model_by_name(name);
      source.data = columns(Object.keys(source.data), records);
    };
    set("bars", bars);
    set("wrong", wrong);
    set("strip", strip ? [{url: strip.url, x: 0, y: -1.18, w: end, h: 1.22}] : []);
    plot.y_range.setv({start: rows.length + 0.1, end: strip ? -1.6 : 0});
    plot.height = Math.round(ROW * (rows.length + (strip ? 1.6 : 0)) + 48);
    names(plot, rows, strip);
  }

  // The rows' names stay at the left edge when the view is zoomed.
  function names(plot, rows, strip) {
    const texts = rows.map((row, y) => ({x: plot.x_range.start, y: y + 0.38, text: text(row)}));
    if (strip) texts.push({x: plot.x_range.start, y: -1.2, text: strip.text});
    plot.document.get_model_by_name("texts").data = columns(["x", "y", "text"], texts);
  }

  // A class name that may be broken after an underscore, on a phone.
  function breakable(name) {
    const made = element("span", "");
    name.split(/(?<=_)/).forEach((part) => made.append(part, document.createElement("wbr")));
    return made;
  }

  function swatch(one) {
    const made = element("span", "", {className: "explorer-swatch"});
    const {colour, ink, pattern} = one;
    const lines = (angle) => `repeating-linear-gradient(${angle}deg, ${ink} 0 1px, transparent 1px 5px)`;
    const angles = {
      right_diagonal_line: [135], left_diagonal_line: [45], diagonal_cross: [45, 135], horizontal_line: [0],
      cross: [0, 90], vertical_line: [90],
    };
    made.style.backgroundColor = colour;
    made.style.backgroundImage = (angles[pattern] ?? []).map(lines).join(", ");
    return made;
  }

  function legend() {
    const groups = Map.groupBy ? Map.groupBy(classes, (one) => one.verb) : classes.reduce(
      (map, one) => map.set(one.verb, [...(map.get(one.verb) ?? []), one]), new Map());
    for (const [verb, members] of groups) {
      const list = document.createElement("ul");
      for (const one of members) {
        const line = element("li", "");
        line.append(swatch(one), breakable(one.name));
        list.append(line);
      }
      const group = document.createElement("div");
      group.append(element("h3", verb), list);
      byId("legend").append(group);
    }
  }

  function picture(name, video, time) {
    const place = byId("picture");
    const sheet = video.sheet;
    place.parentElement.hidden = Boolean(video.strip);
    if (video.strip) return;
    place.classList.toggle("none", !sheet);
    if (!sheet) {
      place.style.backgroundImage = "none";
      place.setAttribute("aria-label", video.note);
      byId("picture-caption").textContent = video.note;
      return;
    }
    const number = Math.min(Math.floor(time / sheet.every), sheet.count - 1);
    const rows = Math.ceil(sheet.count / sheet.columns);
    const share = (index, count) => (count > 1 ? (100 * index) / (count - 1) : 0);
    const [column, row] = [number % sheet.columns, Math.floor(number / sheet.columns)];
    place.style.aspectRatio = `${sheet.width} / ${sheet.height}`;
    place.style.backgroundImage = `url("_static/explorer/${encodeURIComponent(name)}.webp")`;
    place.style.backgroundSize = `${100 * sheet.columns}% ${100 * rows}%`;
    place.style.backgroundPosition = `${share(column, sheet.columns)}% ${share(row, rows)}%`;
    place.setAttribute("aria-label", `Frame of ${name} at ${number * sheet.every} s`);
    byId("picture-caption").textContent = `Frame at ${number * sheet.every} s; one every ${sheet.every} s.`;
  }

  // In words, for readers and screen readers: what is under the playhead.
  function now(rows, time) {
    const called = (one) => (one ? classes[one.label].name : "nothing");
    const truth = at(rows[0].found, time);
    const marks = rows.slice(1).map((row) => ({row, one: at(row.found, time)}));
    const right = marks.filter(({one}) => one && truth && one.label === truth.label).length;
    byId("says").replaceChildren(
      element("b", called(truth)), truth ? `, ${truth.start.toFixed(1)} to ${truth.end.toFixed(1)} s.` : " (after the last label).",
      truth && marks.length ? ` ${right} of ${marks.length} methods right.` : "");
    const body = byId("methods").tBodies[0];
    body.replaceChildren(...[{row: rows[0], one: truth}, ...marks].map(({row, one}) => {
      const line = document.createElement("tr");
      const says = element("td", "");
      if (one) says.append(swatch(classes[one.label]));
      says.append(breakable(called(one)));
      if (row.wrong !== null && truth && one) says.append(one.label === truth.label ? " ✓ right" : " ✗ wrong");
      line.append(element("th", row.name, {scope: "row"}), says);
      for (const score of row.scores ?? ["", "", ""])
        line.append(element("td", score === "" ? "" : score.toFixed(1), {className: "number"}));
      return line;
    }));
  }

  function truthTable(found) {
    byId("truth").tBodies[0].replaceChildren(...found.map((one) => {
      const line = document.createElement("tr");
      line.append(element("th", classes[one.label].name, {scope: "row"}));
      for (const value of [one.start, one.end, one.end - one.start])
        line.append(element("td", value.toFixed(2), {className: "number"}));
      return line;
    }));
  }

  return {byId, draw, element, legend, length, names, now, picture, rowsOf, truthTable};
})();
