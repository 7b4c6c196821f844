// Reading the invitation's QR code with the camera or from a picture. Typing it works without this.
"use strict";

const scan = document.querySelector("[data-scan]");
if (scan) {
  const part = (name) => scan.querySelector(`[data-${name}]`);
  const video = part("video");
  const field = (name) => document.getElementById(name);
  const say = (words) => { part("said").textContent = words; };

  const read = (source, width, height) => {
    const canvas = document.createElement("canvas");
    canvas.width = width;
    canvas.height = height;
    const drawing = canvas.getContext("2d", { willReadFrequently: true });
    drawing.drawImage(source, 0, 0, width, height);
    try {
      return qr.decode(drawing.getImageData(0, 0, width, height));
    } catch {
      return null; // no code in this picture
    }
  };

  const take = (text) => {
    const prefix = "aidvisit:enrol?";
    if (!text.startsWith(prefix)) { say(scan.dataset.foreign); return false; }
    const said = new URLSearchParams(text.slice(prefix.length));
    field("server").value = said.get("server") || "";
    field("code").value = said.get("code") || "";
    field("fingerprint").value = said.get("key") || "";
    field("invitation").value = "";
    say(`${scan.dataset.found} ${said.get("server") || ""}`);
    field("name").focus();
    return true;
  };

  const stop = () => {
    if (video.srcObject) video.srcObject.getTracks().forEach((track) => track.stop());
    video.srcObject = null;
    video.hidden = true;
    part("camera").hidden = false;
  };

  const look = () => {
    if (!video.srcObject) return;
    const text = video.videoWidth ? read(video, video.videoWidth, video.videoHeight) : null;
    if (text !== null && take(text)) stop();
    else setTimeout(look, 150);
  };

  part("camera").addEventListener("click", async () => {
    try {
      video.srcObject = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
      video.hidden = false;
      part("camera").hidden = true;
      await video.play();
      look();
    } catch {
      stop();
      say(scan.dataset.refused);
    }
  });

  part("picture").addEventListener("change", async (event) => {
    const [file] = event.target.files;
    if (!file) return;
    try {
      const picture = await createImageBitmap(file);
      const scale = Math.min(1, 1600 / Math.max(picture.width, picture.height));
      const text = read(picture, Math.round(picture.width * scale), Math.round(picture.height * scale));
      if (text === null) say(scan.dataset.nothing);
      else take(text);
    } catch {
      say(scan.dataset.nothing);
    }
  });

  addEventListener("pagehide", stop);
  scan.hidden = false;
}

const print = document.querySelector("[data-print]");
if (print) {
  print.hidden = false;
  print.addEventListener("click", () => window.print());
}
