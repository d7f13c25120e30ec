// Bundles src/ with Leaflet and uPlot into dist/: what the console serves. Run by `make setup`.
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build } from "esbuild";

await rm("dist", { recursive: true, force: true });
await mkdir("dist");
// Of Leaflet the modules, so that what is not used of it is left out; its package names the bundle.
const modulesOfLeaflet = {
  name: "modules of Leaflet",
  setup({ onResolve }) {
    onResolve({ filter: /^leaflet$/ }, () => ({ path: resolve("node_modules/leaflet/dist/leaflet-src.esm.js") }));
  },
};
const { metafile } = await build({
  entryPoints: { app: "src/main.ts" },
  bundle: true,
  // What is opened rarely is loaded when it is opened.
  splitting: true,
  metafile: true,
  format: "esm",
  target: ["chrome109", "firefox115", "safari16"],
  minify: true,
  sourcemap: false,
  charset: "utf8",
  legalComments: "none",
  // Leaflet's pictures of markers and layers are not used.
  plugins: [modulesOfLeaflet],
  loader: { ".png": "empty" },
  outdir: "dist",
  logLevel: "warning",
});
await copyFile("src/icon.svg", "dist/icon.svg");
// What the script begins with is asked for with it, not after it.
const first = metafile.outputs["dist/app.js"].imports.filter(({ kind }) => kind === "import-statement");
const preloads = first.map(({ path }) => `<link rel="modulepreload" href="/assets/${path.slice("dist/".length)}" />`);
const page = await readFile("src/index.html", "utf8");
await writeFile("dist/index.html", page.replace("</head>", `${preloads.join("")}</head>`));

// The licences of what is bundled travel with it.
const notices = [];
for (const name of ["leaflet", "uplot"]) {
  const { version } = JSON.parse(await readFile(`node_modules/${name}/package.json`, "utf8"));
  notices.push(`${name} ${version}\n\n${await readFile(`node_modules/${name}/LICENSE`, "utf8")}`);
}
await writeFile("dist/licences.txt", notices.join("\n\n----------------\n\n"));

// What goes over the wire is compressed once, here, and as well as can be.
for (const name of await readdir("dist")) {
  const whole = await readFile(`dist/${name}`);
  await writeFile(`dist/${name}.gz`, gzipSync(whole, { level: constants.Z_BEST_COMPRESSION }));
  await writeFile(`dist/${name}.br`, brotliCompressSync(whole, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: whole.length } }));
}
