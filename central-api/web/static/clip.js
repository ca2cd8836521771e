// A clip that this browser cannot play says so at once, instead of a spinner without end. Without
// this script the link to the file and the pictures are there all the same.
"use strict";

document.querySelectorAll("[data-clip]").forEach((figure) => {
  const video = figure.querySelector("video");
  const source = figure.querySelector("source");
  const notice = figure.querySelector(".unplayable");
  // Nothing came and nothing moved for this long while it should play.
  const PATIENCE_MS = 8000;
  let timer = 0;

  const giveUp = () => {
    clearTimeout(timer);
    video.hidden = true;
    notice.hidden = false;
  };
  const wait = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      if (video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) giveUp();
    }, PATIENCE_MS);
  };
  const goOn = () => clearTimeout(timer);

  if (video.canPlayType(source.type) === "") {
    giveUp();
    return;
  }
  source.addEventListener("error", giveUp);
  video.addEventListener("error", giveUp);
  // It may have failed before this script came.
  if (video.error !== null || video.networkState === HTMLMediaElement.NETWORK_NO_SOURCE) giveUp();
  video.addEventListener("loadedmetadata", () => {
    // Sound or nothing: the pictures' coding was not understood.
    if (video.videoWidth === 0) giveUp();
  });
  ["play", "waiting", "stalled"].forEach((name) => video.addEventListener(name, wait));
  // Whatever is still coming is not stuck.
  ["playing", "timeupdate", "pause"].forEach((name) => video.addEventListener(name, goOn));
  video.addEventListener("progress", () => {
    if (!video.paused && video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) wait();
  });
});
