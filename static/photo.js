// A photo is shrunk here, before it is stored: long side 1,600 px, about 150 KB. Drawing it takes off what the
// camera wrote beside it. Where that fails, the file goes as it is, and the laptop's app looks at it.
"use strict";

const LONG = 1600;
const AIM = 150 * 1024;

function drawn(picture, long) {
  const scale = Math.min(1, long / Math.max(picture.width, picture.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(picture.width * scale));
  canvas.height = Math.max(1, Math.round(picture.height * scale));
  const pen = canvas.getContext("2d", { alpha: false });
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.imageSmoothingQuality = "high";
  pen.drawImage(picture, 0, 0, canvas.width, canvas.height);
  return canvas;
}

function encoded(canvas, quality) {
  return new Promise((done) => canvas.toBlob(done, "image/jpeg", quality));
}

// Quality goes down in steps until it fits; a picture that does not fit even then is made smaller as well.
async function shrunk(picture) {
  let best = null;
  for (let long = LONG; long >= 400; long = Math.round(long * 0.75)) {
    const canvas = drawn(picture, long);
    for (const quality of [0.85, 0.75, 0.65, 0.55, 0.45, 0.35]) {
      best = await encoded(canvas, quality);
      if (best.size <= AIM) return best;
    }
  }
  return best;
}

function text(blob) {
  return new Promise((done, failed) => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.onerror = failed;
    reader.readAsDataURL(blob);
  });
}

function ready(box) {
  const input = box.querySelector("input[type=file]");
  const kept = box.querySelector("input[type=hidden]");
  const shown = box.querySelector("canvas");
  const said = box.querySelector("[data-said]");
  const away = box.querySelector("[data-away]");
  const owner = input.form;
  const name = input.name;
  let work = null;

  function show(picture, bytes) {
    const small = drawn(picture, 480);
    shown.width = small.width;
    shown.height = small.height;
    shown.getContext("2d").drawImage(small, 0, 0);
    shown.hidden = away.hidden = false;
    said.textContent = box.dataset.ready.replace("{n}", Math.ceil(bytes / 1000));
  }

  async function take() {
    const file = input.files[0];
    input.name = name;
    kept.value = "";
    shown.hidden = away.hidden = true;
    said.textContent = "";
    if (!file) return;
    said.textContent = box.dataset.working;
    try {
      const picture = await createImageBitmap(file, { imageOrientation: "from-image" });
      const blob = await shrunk(picture);
      kept.value = await text(blob);
      input.removeAttribute("name"); // what is shrunk goes instead of the file
      show(picture, blob.size);
    } catch {
      said.textContent = box.dataset.failed;
    }
  }

  async function bringBack() {
    const bytes = Uint8Array.from(atob(kept.value), (one) => one.charCodeAt(0));
    show(await createImageBitmap(new Blob([bytes])), bytes.length);
  }

  input.addEventListener("change", () => { work = take().finally(() => { work = null; }); });
  away.addEventListener("click", () => { input.value = ""; take(); });
  owner.addEventListener("submit", (event) => {
    if (!work) return;
    event.preventDefault();
    event.stopImmediatePropagation(); // it is not sent yet
    work.then(() => owner.requestSubmit());
  });
  if (kept.value) bringBack();
}

document.querySelectorAll("[data-photo]").forEach(ready);
