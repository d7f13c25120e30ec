// Bundles src/ with Leaflet and uPlot into dist/: what the console serves. Run by `make setup`.
import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { build } from "esbuild";

await rm("dist", { recursive: true, force: true });
await mkdir("dist");
await build({
  entryPoints: { app: "src/main.ts" },
  bundle: true,
  format: "esm",
  target: ["chrome109", "firefox115", "safari16"],
  minify: true,
  sourcemap: false,
  legalComments: "none",
  // Leaflet's pictures of markers and layers are not used.
  loader: { ".png": "empty" },
  outdir: "dist",
  logLevel: "warning",
});
for (const name of ["index.html", "icon.svg"]) await copyFile(`src/${name}`, `dist/${name}`);

// The licences of what is bundled travel with it.
const notices = [];
for (const name of ["leaflet", "uplot"]) {
  const { version } = JSON.parse(await readFile(`node_modules/${name}/package.json`, "utf8"));
  notices.push(`${name} ${version}\n\n${await readFile(`node_modules/${name}/LICENSE`, "utf8")}`);
}
await writeFile("dist/licences.txt", notices.join("\n\n----------------\n\n"));
