// 글에 있는 <div class="explorable" data-explorable="이름">을 찾아 이름.js로 채웁니다.
// 불러오지 못하면 안에 있던 정지 그림이 그대로 남습니다.

for (const root of document.querySelectorAll(".explorable[data-explorable]")) {
  import(`./${root.dataset.explorable}.js`)
    .then((module) => module.default(root))
    .catch((error) => console.error(`만져 보는 그림 ${root.dataset.explorable}:`, error));
}
