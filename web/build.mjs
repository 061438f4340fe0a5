// Builds the dashboard: web/src becomes one script and one style sheet in BUILD/web, and BUILD/gen/dashboard.h has the
// bytes of all files, as gzip, for svisord (daemon/driver/dashboard.c).
//
//     node web/build.mjs BUILD            what make calls
//     node web/build.mjs BUILD --tests    src/**/*.test.ts become BUILD/web/test/*.mjs, for `node --test`
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const web = dirname(fileURLToPath(import.meta.url));
const out = join(process.argv[2] ?? join(web, "../build"));

async function bundle() {
  await build({
    entryPoints: { app: join(web, "src/main.tsx") },
    outdir: join(out, "web"),
    bundle: true,
    minify: true,
    legalComments: "none",
    target: "es2021",
    jsx: "automatic",
    jsxImportSource: "preact",
    logLevel: "warning",
  });
  for (const name of ["index.html", "icon.svg"]) writeFileSync(join(out, "web", name), readFileSync(join(web, "src", name)));
}

function array(name, bytes) {
  const etag = createHash("sha256").update(bytes).digest("hex").slice(0, 20);
  const numbers = Array.from(bytes, (one) => one.toString()).join(",").replace(/(.{100}[^,]*,)/g, "$1\n");
  return `static const unsigned char dashboard_${name}[] = {\n${numbers}};\nstatic const char dashboard_${name}_etag[] = "\\"${etag}\\"";\n`;
}

function embed() {
  const bytes = (name) => readFileSync(join(out, "web", name));
  const packed = (name) => gzipSync(bytes(name), { level: 9 });
  const text = [
    array("html", bytes("index.html")),
    array("js", packed("app.js")),
    array("css", packed("app.css")),
    array("svg", packed("icon.svg")),
  ].join("");
  mkdirSync(join(out, "gen"), { recursive: true });
  writeFileSync(join(out, "gen/dashboard.h"), text);
}

function testFiles(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((one) => {
    if (one.isDirectory()) return testFiles(join(folder, one.name));
    return /\.test\.tsx?$/.test(one.name) ? [join(folder, one.name)] : [];
  });
}

async function bundleTests() {
  await build({
    entryPoints: testFiles(join(web, "src")),
    outdir: join(out, "web/test"),
    outExtension: { ".js": ".mjs" },
    entryNames: "[name]",
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node18",
    jsx: "automatic",
    jsxImportSource: "preact",
    logLevel: "warning",
  });
}

mkdirSync(join(out, "web"), { recursive: true });
if (process.argv.includes("--tests")) await bundleTests();
else {
  await bundle();
  embed();
}
