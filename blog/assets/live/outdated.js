// 셀을 고쳐 돌린 뒤, 글에 적힌 수 가운데 이제 어느 출력에도 나오지 않는 것에 표시를 합니다.
import { make } from "./output.js";

const LONG = /\d+\.\d{3,}/g; // 글에서는 소수점 아래 세 자리부터 봅니다. 짧은 수는 다른 까닭으로 적혔을 수 있습니다
const ELSEWHERE = "[data-cell], .live-exercise, .explorable, .katex-mathml, script, style";

const numbers = (nodes) => nodes.flatMap((node) => node.textContent.match(/\d+\.\d+/g) ?? []).map(Number); // 0.0900과 0.09는 같습니다

// 저장된 출력(stored)에는 있었으나 지금의 출력(shown)에는 없는 수.
export function gone(stored, shown) {
  const now = new Set(numbers(shown));
  return new Set(numbers(stored).filter((number) => !now.has(number)));
}

// 표시를 새로 하고, 몇 개인지 돌려줍니다.
export function mark(article, old) {
  for (const node of article.querySelectorAll("mark.live-old")) {
    const { parentNode } = node;
    node.replaceWith(...node.childNodes);
    parentNode.normalize();
  }
  const walker = document.createTreeWalker(article, NodeFilter.SHOW_TEXT);
  const texts = [];
  while (walker.nextNode()) if (!walker.currentNode.parentElement.closest(ELSEWHERE)) texts.push(walker.currentNode);
  let count = 0;
  for (const text of texts) {
    const parts = [];
    let from = 0;
    for (const { 0: number, index } of text.data.matchAll(LONG)) {
      if (!old.has(Number(number))) continue;
      parts.push(text.data.slice(from, index), make("mark", { className: "live-old", title: "고치기 전의 수입니다", textContent: number }));
      from = index + number.length;
      count += 1;
    }
    if (parts.length) text.replaceWith(...parts, text.data.slice(from));
  }
  return count;
}
