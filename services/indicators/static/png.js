// Offers the curve as PNG, drawn by the browser from the SVG at twice its size; without it the SVG is there.
"use strict";
const png = document.getElementById("curve-png");
const SCALE = 2;
png?.addEventListener("click", async (event) => {
  event.preventDefault();
  const picture = new Image();
  picture.src = png.getAttribute("href");
  await picture.decode();
  const canvas = document.createElement("canvas");
  canvas.width = picture.naturalWidth * SCALE;
  canvas.height = picture.naturalHeight * SCALE;
  canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
  canvas.toBlob((blob) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = png.download;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  }, "image/png");
});
if (png) png.hidden = document.getElementById("curve-dot").hidden = false;
