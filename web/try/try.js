// The page that tries the remote methods: a form for each operation of openapi.json.
//
// Whatever comes from svisord, names of programs and lines of logs among it, becomes text, never markup.
// The page lies in /api/, so that ".." is the root also behind a proxy that adds a prefix. location.href has no password, with which
// fetch() refuses an address.
"use strict";

const ROOT = new URL("..", location.href).href.replace(/\/$/, "");

function make(tag, text, attributes = {}) {
  const node = document.createElement(tag);
  node.textContent = text || "";
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}

function choice(values, optional) {
  const node = make("select");
  if (optional) node.append(make("option", "(as it is by itself)", { value: "" }));
  for (const value of values) node.append(make("option", value, { value }));
  return node;
}

// One labelled field; reading it gives undefined when it was left empty and need not be given.
function field(form, parameter, id) {
  const optional = !parameter.required;
  const { type, enum: names, default: fallback } = parameter.schema;
  const values = names || (type === "boolean" ? ["true", "false"] : null);
  const node = values ? choice(values, optional) : make("input", "", { type: "text", autocomplete: "off", spellcheck: "false" });
  node.id = id;
  if (optional && !values && fallback !== "") node.placeholder = String(fallback);
  if (!optional) node.required = true;
  form.append(make("label", `${parameter.name}: ${parameter.description}`, { for: id }), node);
  return () => (node.value === "" && optional ? undefined : node.value);
}

function bodyField(form, body, id) {
  const schema = body.content["application/json"].schema;
  const node = make("textarea", "", { id, spellcheck: "false" });
  const example = Object.fromEntries(Object.entries(schema.properties).map(([name, one]) => [name, one.type === "array" ? [] : {}]));
  node.value = JSON.stringify(example, null, 1);
  const words = Object.entries(schema.properties).map(([name, one]) => `${name}: ${one.description}`).join("\n");
  form.append(make("label", `Body, in JSON\n${words}`, { for: id }), node);
  return () => node.value;
}

// Arguments stand in the path as long as they fit there: one with a slash, or an empty one, goes into the query, and
// with it those behind it.
function addressOf(path, parameters, readers) {
  const query = new URLSearchParams();
  let address = path.split("/{")[0];
  let fits = true;
  parameters.forEach((parameter, index) => {
    const value = readers[index]();
    fits = fits && parameter.in === "path" && value !== "" && !value.includes("/");
    if (fits) address += "/" + encodeURIComponent(value);
    else if (value !== undefined) query.append(parameter.name, value);
  });
  return String(query) ? `${address}?${query}` : address;
}

async function call(verb, address, body, output) {
  output.className = "";
  output.textContent = `${verb.toUpperCase()} ${address}\n…`;
  try {
    const headers = body === undefined ? {} : { "Content-Type": "application/json" };
    const answer = await fetch(ROOT + address, { method: verb.toUpperCase(), headers, body });
    const text = await answer.text();
    let shown = text;
    try { shown = JSON.stringify(JSON.parse(text), null, 2); } catch (error) { /* shown as it came */ }
    output.className = answer.ok ? "ok" : "bad";
    output.textContent = `${verb.toUpperCase()} ${address}\n${answer.status} ${answer.statusText}\n\n${shown}`;
  } catch (error) {
    output.className = "bad";
    output.textContent = `${verb.toUpperCase()} ${address}\nno answer: ${error.message}`;
  }
}

function fill(form, path, verb, operation) {
  if (operation.description) form.append(make("p", operation.description));
  const id = `f-${operation.operationId}`;
  const readers = operation.parameters.map((parameter, index) => field(form, parameter, `${id}-${index}`));
  const body = operation.requestBody ? bodyField(form, operation.requestBody, `${id}-body`) : () => undefined;
  const output = make("pre", "");
  output.hidden = true;
  form.append(make("p", `Result: ${operation.responses["200"].description}`), make("button", "Call", { type: "submit" }), output);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    output.hidden = false;
    call(verb, addressOf(path, operation.parameters, readers), body(), output);
  });
}

function entry(path, verb, operation) {
  const details = make("details");
  const summary = make("summary");
  summary.append(make("b", verb.toUpperCase()), make("code", path), make("span", operation.summary));
  details.append(summary);
  details.dataset.words = `${path} ${operation.operationId} ${operation.summary}`.toLowerCase();
  // The form is made when it is opened: a hundred of them would keep a phone busy.
  details.addEventListener("toggle", () => {
    if (details.querySelector("form")) return;
    const form = make("form");
    fill(form, path, verb, operation);
    details.append(form);
  });
  return details;
}

function show(api) {
  const main = document.getElementById("methods");
  main.replaceChildren();
  for (const tag of api.tags) {
    const section = make("section");
    section.append(make("h2", tag.name), make("p", tag.description));
    for (const [path, item] of Object.entries(api.paths))
      for (const [verb, operation] of Object.entries(item))
        // An answer that is no JSON is a stream, which has no end to be shown.
        if (operation.tags.includes(tag.name) && operation.responses["200"].content["application/json"]) section.append(entry(path, verb, operation));
    main.append(section);
  }
  const filter = document.getElementById("filter");
  filter.addEventListener("input", () => {
    const wanted = filter.value.trim().toLowerCase();
    for (const one of main.querySelectorAll("details")) one.hidden = !one.dataset.words.includes(wanted);
    for (const section of main.querySelectorAll("section")) section.hidden = !section.querySelector("details:not([hidden])");
  });
}

fetch(`${ROOT}/openapi.json`)
  .then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error(`status ${answer.status}`))))
  .then(show)
  .catch((error) => {
    document.getElementById("methods").replaceChildren(make("p", `The list of methods cannot be read: ${error.message}`));
  });
