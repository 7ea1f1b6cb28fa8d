"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const points = document.getElementById("points");
const pointed = document.getElementById("pointed");
const circles = data.x.map((x, i) => {
  const circle = document.createElementNS("http://www.w3.org/2000/svg", "circle");
  circle.setAttribute("cx", x);
  circle.setAttribute("cy", data.y[i]);
  circle.setAttribute("r", 6);
  circle.addEventListener("pointerenter", () => show(i));
  return points.appendChild(circle);
});

function paint(view) {
  circles.forEach((circle, i) => circle.setAttribute("fill", view.paints[i]));
  document.getElementById("note").textContent = view.note;
  document.getElementById("legend").replaceChildren(...view.legend.map(([colour, word, count]) => {
    const line = document.createElement("li");
    const swatch = document.createElement("span");
    swatch.style.background = colour;
    line.append(swatch, count === null ? word : `${word} (${count})`);
    return line;
  }));
}

function show(i) {
  const identity = data.identities[i];
  circles.forEach((circle, k) =>
    circle.classList.toggle("kin", k === i || (identity !== "" && data.identities[k] === identity)));
  if (data.pictures.length) pointed.querySelector("img").src = data.pictures[i];
  const words = data.views.map((view) => view.words[i]).filter(Boolean);
  pointed.querySelector("figcaption").textContent = [data.names[i], ...words].join(", ");
  pointed.hidden = false;
}

for (const choice of document.querySelectorAll("#views input")) {
  choice.addEventListener("change", () => paint(data.views[choice.value]));
}
if (data.views.length) paint(data.views[document.querySelector("#views input:checked").value]);
