// Chromium for tests in Python (tests/support/browser.py): lines of JSON come, and for each goes one back.
//
//     {"open": {"url": …, "options": {…}}}                          → {"value": 1}, the number of the page
//     {"page": 1, "steps": [["getByRole", ["button"]], ["click", []]]}   → {"value": …} or {"error": "…"}
//     {"complaints": 1}                                              → {"value": ["console error: …", …]}
//     {"trace": 1}, {"traced": 1}                                    → {"value": [0.2, …]}: what its tasks took in between
//
// A step is a property, or a method with its arguments, of what the step before gave: all of Playwright can be said. Whatever
// a page does that it may not is a complaint: errors in its console, what its policy has stopped, requests to other origins.
import { createInterface } from "node:readline";
import { chromium } from "../../web/node_modules/playwright-core/index.mjs";

const FLAGS = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const TIMEOUT_MS = 15000;
const TAKES_FUNCTION = new Set(["evaluate", "evaluateAll", "evaluateHandle", "waitForFunction", "addInitScript"]);
const pages = [];
const complaints = [];

const browser = await chromium.launch({ executablePath: process.argv[2], headless: true, chromiumSandbox: false, args: FLAGS });

function listen(page, own, list) {
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) list.push(`console ${message.type()}: ${message.text()} (${message.location().url})`);
  });
  page.on("pageerror", (error) => list.push(`uncaught: ${error.stack ?? error}`));
  page.on("dialog", (dialog) => {
    list.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  const elsewhere = (url) => new URL(url).host !== own.host && /^(http|ws)/.test(url) && list.push(`request to ${url}`);
  page.on("request", (request) => elsewhere(request.url()));
  page.on("websocket", (socket) => elsewhere(socket.url()));
}

async function open({ url, options }) {
  const { init, ...more } = options;
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: "en-GB", baseURL: new URL(url).origin, ...more });
  context.setDefaultTimeout(TIMEOUT_MS);
  if (init) await context.addInitScript({ content: init });
  const page = await context.newPage();
  const list = [];
  complaints.push(list);
  listen(page, new URL(url), list);
  context.on("page", (other) => listen(other, new URL(url), list));
  await page.goto(url);
  return pages.push(page);
}

function decoded(value) {
  if (Array.isArray(value)) return value.map(decoded);
  if (value === null || typeof value !== "object") return value;
  if ("$re" in value) return new RegExp(value.$re, value.flags);
  if ("$steps" in value) return value.$steps.reduce((at, one) => step(at, one), pages[value.page - 1]);
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, decoded(one)]));
}

function step(at, [name, words]) {
  if (!words) return at[name];
  const given = words.map(decoded);
  if (TAKES_FUNCTION.has(name)) given[0] = new Function(`return (${given[0]})`)();
  return at[name](...given);
}

async function steps(request) {
  let at = pages[request.page - 1];
  for (const one of request.steps) at = await step(at, one);
  return at;
}

// The milliseconds of processor time that each task of the page's main thread takes until {"traced"}. Not of the clock: a task
// that waits for a processor which others use does not keep the page busy.
async function traced() {
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString());
  const main = new Set(traceEvents.filter((one) => one.args?.name === "CrRendererMain").map((one) => `${one.pid} ${one.tid}`));
  return traceEvents.filter((one) => one.name === "RunTask" && main.has(`${one.pid} ${one.tid}`)).map((one) => (one.tdur ?? 0) / 1000);
}

// What has no form in JSON (a page, a response) is null.
function plain(value) {
  if (value instanceof Buffer) return value.toString("base64");
  if (value && typeof value === "object" && !Array.isArray(value) && Object.getPrototypeOf(value) !== Object.prototype) return null;
  return value ?? null;
}

async function answer(request) {
  if (request.open) return open(request.open);
  if (request.trace) return plain(await browser.startTracing(pages[request.trace - 1], { categories: ["devtools.timeline", "disabled-by-default-devtools.timeline"] }));
  if (request.traced) return traced();
  if (request.complaints) return complaints[request.complaints - 1];
  return plain(await steps(request));
}

for await (const line of createInterface({ input: process.stdin })) {
  let said;
  try {
    said = { value: await answer(JSON.parse(line)) };
  } catch (error) {
    said = { error: String(error.message ?? error) };
  }
  process.stdout.write(`${JSON.stringify(said)}\n`);
}
await browser.close();
