// Bokeh on the explorer's page: loads its script where a page has a figure for it, and follows the page's colours.
"use strict";
const interactive = (() => {
  const base = new URL(".", document.currentScript.src).href;
  let loading = null;

  // Load a script of the site once it is needed; file: pages may not fetch.
  function script(source) {
    return new Promise((resolve, reject) => {
      const tag = document.createElement("script");
      tag.onload = resolve;
      tag.onerror = () => reject(new Error(`${source} cannot be loaded`));
      tag.src = source;
      document.head.append(tag);
    });
  }

  function load() {
    loading ??= script(base + "bokeh.min.js");
    return loading;
  }

  function colour(name, otherwise) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim() || otherwise;
  }

  // Give a figure the page's colours, now and whenever the page changes between dark and light.
  const shown = new Set();
  function paint(root) {
    const ink = colour("--pst-color-text-base", "#222");
    const faint = colour("--pst-color-border", "#ccc");
    const dark = document.documentElement.dataset.theme === "dark";
    for (const model of root.references()) {
      const change = {};
      for (const key of ["axis_label_text_color", "major_label_text_color", "label_text_color"])
        if (key in model) change[key] = ink;
      for (const key of ["axis_line_color", "major_tick_line_color", "minor_tick_line_color"])
        if (model[key]) change[key] = ink; // null: not drawn
      if ("grid_line_color" in model) change.grid_line_color = faint;
      if (model.type === "Title") change.text_color = ink;
      if (model.type === "Span") change.line_color = ink;
      if (model.type === "GlyphRenderer") {
        if (model.name === "strips") model.glyph.setv({fill_color: dark ? "#ff8a80" : "#c62828"});
        if (model.name === "ink")
          for (const key of ["text_color", "line_color", "fill_color"]) if (key in model.glyph) model.glyph.setv({[key]: ink});
      }
      model.setv(change);
    }
  }
  new MutationObserver(() => shown.forEach(paint)).observe(document.documentElement, {attributeFilter: ["data-theme"]});

  // Show a figure in an element; gives Bokeh's model of it.
  async function show(item, element) {
    await load();
    Bokeh.set_log_level("warn");
    const views = await Bokeh.embed.embed_item({...item, target_id: null}, element);
    const root = views.roots[0].model;
    shown.add(root);
    paint(root);
    return root;
  }

  return {script, show};
})();
