// Draws the charts of a page: each <figure class="chart"> has its data in `data-chart`.
// Every one has a table beside it with the same numbers, so nothing is lost without this script.
"use strict";

(() => {
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const series = (index) => colour(`--series-${(index % 6) + 1}`);
  const HEIGHT = 230;
  const drawn = new Map();

  // Sums from the last series to each one: the topmost is drawn first, and the others before it.
  const stack = (rows) => {
    const sums = rows.map((row) => row.slice());
    for (let at = sums.length - 2; at >= 0; at--) {
      sums[at] = sums[at].map((value, place) => value + sums[at + 1][place]);
    }
    return sums;
  };

  const axes = (chart) => {
    const common = {
      stroke: colour("--faint"),
      grid: { stroke: colour("--line"), width: 1 },
      ticks: { stroke: colour("--line"), width: 1 },
    };
    const short = new Intl.NumberFormat("en", { notation: "compact" });
    const when = (more) => new Intl.DateTimeFormat("en-GB", { timeZone: chart.timezone, ...more });
    const day = when({ day: "numeric", month: "short" });
    const hour = when({ hour: "2-digit", minute: "2-digit" });
    const label = (seconds, step) => {
      const at = new Date(seconds * 1e3);
      const time = hour.format(at);
      return step >= 86400 || time === "00:00" ? day.format(at) : time;
    };
    return [
      { ...common, grid: { show: false }, space: 60, values: (_, all, __, ___, step) => all.map((each) => label(each, step)) },
      { ...common, size: 58, values: (_, values) => values.map((each) => short.format(each)) },
    ];
  };

  const line = (chart, each, index) => {
    const shown = new Intl.NumberFormat("en", { maximumFractionDigits: 2 });
    const bars = chart.kind === "bars";
    const made = {
      label: each.name,
      stroke: series(index),
      width: bars ? 0 : 2,
      fill: bars ? series(index) : undefined,
      points: { show: !bars && !each.dashed && chart.starts.length < 60 },
      dash: each.dashed ? [6, 5] : undefined,
      value: (_, __, at, place) =>
        place === null || each.values[place] === null ? "–" : shown.format(each.values[place]) + chart.unit,
    };
    if (bars) made.paths = uPlot.paths.bars({ size: [0.85, 60], align: 1 });
    return made;
  };

  const options = (chart, width) => ({
    width,
    height: HEIGHT,
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1e3), chart.timezone),
    axes: axes(chart),
    legend: { live: true },
    cursor: { drag: { x: false, y: false }, points: { show: chart.kind !== "bars" } },
    scales: { y: { range: (_, low, high) => [Math.min(0, low || 0), high > 0 ? high * 1.08 : 1] } },
    series: [{ label: "from", value: "{YYYY}-{MM}-{DD} {HH}:{mm}" }, ...chart.series.map((each, index) => line(chart, each, index))],
  });

  const draw = (figure) => {
    const chart = JSON.parse(figure.dataset.chart);
    const place = figure.querySelector(".plot");
    const rows = chart.series.map((each) => each.values);
    const values = chart.kind === "bars" ? stack(rows) : rows;
    place.replaceChildren();
    const width = Math.max(place.clientWidth, 200);
    const plot = new uPlot(options(chart, width), [chart.starts, ...values], place);
    drawn.set(figure, plot);
  };

  const drawAll = () => {
    for (const [figure, plot] of drawn) {
      plot.destroy();
      drawn.delete(figure);
    }
    document.querySelectorAll("figure.chart").forEach(draw);
  };

  const fit = () => {
    for (const [figure, plot] of drawn) {
      plot.setSize({ width: Math.max(figure.querySelector(".plot").clientWidth, 200), height: HEIGHT });
    }
  };

  drawAll();
  window.addEventListener("resize", fit);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
  document.addEventListener("storeproof:refreshed", drawAll);
})();
