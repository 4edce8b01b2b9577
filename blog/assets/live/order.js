// 셀 하나를 돌리려면 어느 셀이 먼저 돌아야 하는지 정합니다.
// 이름마다 그것을 마지막으로 만든 셀(owner)을 기억해, 아직 만들지 않았거나 다른 셀이 덮어쓴 이름만 다시 만듭니다.
const has = (list, name) => list.includes(name);

// 그 이름을 만드는 가장 가까운 위의 셀. 없으면 함수의 몸이 나중에 읽는 것이니, limit 위에서 찾습니다.
function definition(cells, name, cell, limit) {
  const above = cells.findLast((other) => other.index < cell.index && has(other.binds, name));
  return above ?? cells.find((other) => other.index > cell.index && other.index < limit && has(other.binds, name));
}

export function plan(cells, target, owner) {
  const fresh = (cell) => cell.ran && !cell.stale;
  const chosen = new Set(cells.filter((cell) => cell.setup && cell.index < target.index && !fresh(cell)));
  chosen.add(target);
  const inOrder = () => [...chosen].sort((a, b) => a.index - b.index);
  for (let grew = true; grew; ) {
    grew = false;
    const now = new Map(owner);
    for (const cell of inOrder()) {
      for (const name of cell.loads) {
        const source = definition(cells, name, cell, target.index);
        if (!source || chosen.has(source) || source === cell) continue;
        const lost = source.index < cell.index && now.get(name) !== source;
        if (!fresh(source) || lost) grew = Boolean(chosen.add(source));
      }
      for (const name of cell.binds) now.set(name, cell);
    }
  }
  return inOrder();
}
