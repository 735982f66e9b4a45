// Makes js.txt, one change a line in hex: npm install @automerge/automerge@3.5.0 && node js.mjs > js.txt
import * as A from '@automerge/automerge'

let d = A.init({ actor: 'aa'.repeat(16) })
const change = f => { d = A.change(d, { time: 0 }, f) }

change(d => { d[''] = 1 }) // an empty key
change(d => { d.m = {}; d.m[''] = 'x'; d.m.y = 2 })
change(d => { delete d[''] })
change(d => { d.c = new A.Counter(3) })
change(d => { d.c.increment(2) })
change(d => { d.c.decrement(200) })
change(d => { d.t = 'hello' })
change(d => { A.mark(d, ['t'], { start: 0, end: 3, expand: 'both' }, 'bold', true) })
change(d => { A.mark(d, ['t'], { start: 0, end: 3, expand: 'none' }, 'bold', null) })
change(d => { A.unmark(d, ['t'], { start: 0, end: 2 }, 'bold') })
change(d => { A.mark(d, ['t'], { start: 0, end: 3, expand: 'none' }, '', 1) })
change(d => { A.splitBlock(d, ['t'], 2, { type: 'p', parents: [], attrs: {} }) })
change(d => {
  d.d = new Date(5); d.b = new Uint8Array([1, 2]); d.f = 1.5; d.n = null; d.i = -3; d.u = 7
  d.big = 123456789012345678n; d.im = new A.ImmutableString('x')
})
change(d => { d.l = [1, 2, { a: 1 }]; d.l.splice(1, 1) })
d = A.emptyChange(d, { time: 0 })
let e = A.clone(d, { actor: 'bb'.repeat(16) })
let f = A.clone(d, { actor: '11'.repeat(16) })
e = A.change(e, { time: 0 }, d => { d.x = 'e' })
f = A.change(f, { time: 0 }, d => { d.x = 'f' })
d = A.merge(A.merge(d, e), f)
change(d => { d.x = 'd' }) // replaces both
change(d => { delete d.x; A.updateText(d, ['t'], 'helo w') })

for (const c of A.getAllChanges(d)) console.log(Buffer.from(c).toString('hex'))
