// The explorer's state (video, time, zoom, methods), its controls and keys. The address keeps video and time.
"use strict";
const explorerVideo = (() => {
  const {methods, videos, plot: item} = window.EXPLORER;
  const view = explorerView;
  const {byId, element} = view;
  const here = new URL(".", document.currentScript.src).href;
  const names = videos.map(([name]) => name);
  const loaded = {};
  const thesis = Object.keys(methods).filter((id) => methods[id].group === "Methods of the thesis");
  const shown = new Set(thesis.length ? thesis : Object.keys(methods).slice(0, 6));
  let plot = null;
  let video = null; // its name; its data are loaded[video]
  let rows = [];
  let time = 0;

  const end = () => Math.max(...rows.map((row) => view.length(row.found)));

  function fromAddress() {
    const wanted = new URLSearchParams(location.hash.slice(1));
    const name = names.includes(wanted.get("video")) ? wanted.get("video") : names[0];
    const seconds = Number(wanted.get("t"));
    return [name, Number.isFinite(seconds) ? seconds : 0];
  }

  function toAddress() {
    const address = `#video=${encodeURIComponent(video)}&t=${time.toFixed(1)}`;
    if (location.hash !== address) history.replaceState(null, "", address);
  }

  function seek(seconds) {
    time = Math.min(Math.max(0, seconds), end());
    plot.document.get_model_by_name("playhead").location = time;
    const {start, end: last} = plot.x_range;
    if (time < start || time > last) zoom(last - start);
    byId("time").value = time;
    byId("time").setAttribute("aria-valuetext", `${time.toFixed(1)} seconds`);
    byId("seconds").textContent = `${time.toFixed(1)} s of ${end().toFixed(1)} s`;
    view.picture(video, loaded[video], time);
    view.now(rows, time);
    toAddress();
  }

  // Show `width` seconds around the playhead.
  function zoom(width) {
    const whole = end();
    const part = Math.min(Math.max(width, Math.min(2, whole)), whole);
    const start = Math.min(Math.max(0, time - part / 2), whole - part);
    plot.x_range.setv({start, end: start + part});
    view.names(plot, rows, loaded[video].strip);
  }
  const zoomBy = (factor) => zoom((plot.x_range.end - plot.x_range.start) * factor);

  function refresh() {
    const data = loaded[video];
    rows = view.rowsOf(data, shown);
    plot.x_range.setv({start: 0, end: end()});
    view.draw(plot, rows, data.strip);
    view.truthTable(rows[0].found);
    byId("time").max = end();
    byId("about").textContent = `Video ${names.indexOf(video) + 1} of ${names.length}; test video of split ${data.split}; ` +
      `${view.length(rows[0].found).toFixed(1)} s labelled, ${rows[0].found.length} segments.` +
      (data.sheet?.bad ? ` ${data.sheet.bad} frames of the video cannot be decoded; the last good one stands in.` : "");
    const there = new Set(data.rows.map((row) => row.method));
    const absent = [...shown].filter((id) => !there.has(id)).map((id) => methods[id].name);
    byId("absent").textContent = absent.length ? `No prediction of this video by: ${absent.join("; ")}.` : "";
    byId("previous").disabled = video === names[0];
    byId("next").disabled = video === names.at(-1);
  }

  async function open(name, seconds) {
    try {
      if (!(name in loaded)) await interactive.script(`${here}${encodeURIComponent(name)}.js`);
    } catch (error) {
      byId("about").textContent = `The data of ${name} are not beside this page: ${error.message}.`;
      return;
    }
    video = name;
    byId("video").value = name;
    refresh();
    seek(seconds);
  }

  function step(by) {
    const name = names[names.indexOf(video) + by];
    if (name) open(name, 0);
  }

  function key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const target = document.activeElement;
    const inside = byId("plot").closest("section").contains(target);
    const arrow = event.key === "ArrowLeft" || event.key === "ArrowRight";
    if (!inside && !(arrow && target === document.body)) return;
    if (target.matches("select, input[type=checkbox]")) return;
    const far = event.shiftKey ? 10 : 1;
    const actions = {
      ArrowLeft: () => seek(time - far), ArrowRight: () => seek(time + far),
      Home: () => seek(0), End: () => seek(end()),
      n: () => step(1), p: () => step(-1),
      "+": () => zoomBy(0.5), "=": () => zoomBy(0.5), "-": () => zoomBy(2), 0: () => zoom(end()),
    };
    if (!(event.key in actions)) return;
    event.preventDefault();
    actions[event.key]();
  }

  function choice() {
    for (const group of new Set(Object.values(methods).map((one) => one.group))) {
      const box = document.createElement("fieldset");
      box.append(element("legend", group));
      for (const [id, one] of Object.entries(methods).filter(([, other]) => other.group === group)) {
        const input = element("input", "", {type: "checkbox", checked: shown.has(id)});
        input.onchange = () => {
          shown[input.checked ? "add" : "delete"](id);
          refresh();
          seek(time);
        };
        const label = element("label", "");
        label.append(input, one.name);
        box.append(label);
      }
      byId("choice").append(box);
    }
  }

  async function begin() {
    byId("video").append(...videos.map(([name, split]) => element("option", `${name} (split ${split})`, {value: name})));
    view.legend();
    choice();
    plot = await interactive.show(item, byId("plot"));
    for (const click of ["tap", "doubletap"]) plot.on_event(click, (event) => seek(event.x));
    byId("video").onchange = (event) => open(event.target.value, 0);
    byId("time").oninput = (event) => seek(Number(event.target.value));
    byId("previous").onclick = () => step(-1);
    byId("next").onclick = () => step(1);
    byId("in").onclick = () => zoomBy(0.5);
    byId("out").onclick = () => zoomBy(2);
    byId("whole").onclick = () => zoom(end());
    document.addEventListener("keydown", key);
    window.addEventListener("hashchange", () => open(...fromAddress()));
    await open(...fromAddress());
    byId("waiting").remove();
  }
  document.addEventListener("DOMContentLoaded", begin);

  return (name, data) => { loaded[name] = data; };
})();
