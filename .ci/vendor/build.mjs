// Makes static/vendor from the packages that package-lock.json names: `npm ci --ignore-scripts && npm run build`.
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { build } from "esbuild";

const folder = new URL("../../static/vendor/", import.meta.url).pathname;
const parts = {
  "qr-decode.js": { package: "qr", name: "qr", text: "LICENSE-MIT", contents: 'export { default as decode } from "qr/decode.js";' },
  // Bars and what they stand on; nothing that is not drawn.
  "chart.js": {
    package: "chart.js", name: "charts", text: "LICENSE.md",
    contents: `import { BarController, BarElement, CategoryScale, Chart, Legend, LinearScale, Tooltip } from "chart.js";
      Chart.register(BarController, BarElement, CategoryScale, Legend, LinearScale, Tooltip);
      export { Chart };`,
  },
};
mkdirSync(folder, { recursive: true });
const files = {};
for (const [file, part] of Object.entries(parts)) {
  const { version, license } = JSON.parse(readFileSync(`node_modules/${part.package}/package.json`, "utf8"));
  await build({
    stdin: { contents: part.contents, resolveDir: "." },
    bundle: true,
    minify: true,
    format: "iife",
    globalName: part.name,
    target: ["chrome96", "firefox94"],
    legalComments: "eof",
    outfile: `${folder}${file}`,
  });
  copyFileSync(`node_modules/${part.package}/${part.text}`, `${folder}${file.replace(/\.js$/, ".LICENSE")}`);
  const sha384 = createHash("sha384").update(readFileSync(`${folder}${file}`)).digest("base64");
  files[file] = { package: part.package, version, license, sha384 };
}
writeFileSync(`${folder}manifest.json`, JSON.stringify(files, null, 2) + "\n");
