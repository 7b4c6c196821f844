// Makes static/vendor from the packages that package-lock.json names: `npm ci --ignore-scripts && npm run build`.
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { build } from "esbuild";

const folder = new URL("../../static/vendor/", import.meta.url).pathname;
const { version, license } = JSON.parse(readFileSync("node_modules/qr/package.json", "utf8"));
mkdirSync(folder, { recursive: true });
await build({
  stdin: { contents: 'export { default as decode } from "qr/decode.js";', resolveDir: "." },
  bundle: true,
  minify: true,
  format: "iife",
  globalName: "qr",
  target: ["chrome96", "firefox94"],
  legalComments: "eof",
  outfile: `${folder}qr-decode.js`,
});
copyFileSync("node_modules/qr/LICENSE-MIT", `${folder}qr-decode.LICENSE`);
const sha384 = createHash("sha384").update(readFileSync(`${folder}qr-decode.js`)).digest("base64");
const files = { "qr-decode.js": { package: "qr", version, license, sha384 } };
writeFileSync(`${folder}manifest.json`, JSON.stringify(files, null, 2) + "\n");
