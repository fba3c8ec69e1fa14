// Each thing to click that something else lies over, or that lies outside of what can be scrolled to: its words.
(() => {
  const wanted = document.querySelectorAll("main :is(a[href], button, input:not([type=hidden]), select, textarea)");
  const covered = [];
  for (const each of wanted) {
    if (!each.checkVisibility()) continue;
    each.scrollIntoView({ block: "center", behavior: "instant" });
    const box = each.getClientRects()[0];
    const top = document.elementFromPoint(box.x + Math.min(box.width / 2, 40), box.y + box.height / 2);
    const under = top && (each.contains(top) || top.contains(each) || [...(each.labels || [])].includes(top));
    if (!under) covered.push(each.textContent.trim() || each.name);
  }
  return covered;
})();
