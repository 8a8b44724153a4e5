(core module $Work
  (import "heap" "memory" (memory 1))
  (import "heap" "alloc" (func $alloc (param i32) (result i32)))
  (import "heap" "free" (func $free (param i32)))
  (import "heap" "link" (func $link (param i32 i32)))
  (import "heap" "clear" (func $clear (param i32)))
  (import "heap" "ask-for" (func $ask-for (param i32)))
  (import "" "record" (func $record (result i32)))
  (import "" "set-record" (func $set-record (param i32)))
  (import "" "set-new" (func $set-new (result i32)))
  (import "" "set-drop" (func $set-drop (param i32)))
  (import "" "join" (func $join (param i32 i32)))
  (import "" "subtask-cancel" (func $subtask-cancel (param i32) (result i32)))
  (import "" "subtask-drop" (func $subtask-drop (param i32)))
  (import "" "returned" (func $returned))
  (import "" "new" (func $new (result i64)))
  (import "" "read" (func $read (param {args}) (result i32)))
  (import "" "write" (func $write (param {args}) (result i32)))
  {cancel_import}
  (import "" "drop-readable" (func $drop-readable (param i32)))
  (import "" "drop-writable" (func $drop-writable (param i32)))
  (import "" "wanted" (func $wanted (result i32)))
  (import "" "opened" (func $opened (param i32 i32 i32)))
  (import "" "room" (func $room (param i64 i32) (result i32)))
  (import "" "give" (func $give (param i64 i32 i32)))
  (import "" "next" (func $next (param i64 i32) (result i32)))
  (import "" "fetch" (func $fetch (param i64 i32)))
  (import "" "done" (func $done (param i64)))
  {back_import}

  ;; A task's record: its blocks (0), the end of the flow (4), its set of waitables (8), what it waits for (12), the number of the flow
  ;; (16), an answer of the host (24), a list from the host (28, 32), how many elements the buffer has or should have (36),
  ;; the next record (40).
  (func $begin (param $end i32) (param $id i64) (result i32)
    (local $r i32)
    (local.set $r (call $alloc (i32.const 48)))
    (memory.fill (local.get $r) (i32.const 0) (i32.const 48))
    (i32.store offset=4 (local.get $r) (local.get $end))
    (i32.store offset=8 (local.get $r) (call $set-new))
    (i64.store offset=16 (local.get $r) (local.get $id))
    (call $join (local.get $end) (i32.load offset=8 (local.get $r)))
    (call $set-record (local.get $r))
    (local.get $r))

  ;; Lets go of everything but the end itself, and returns.
  (func $finish (param $r i32)
    (local $sub i32)
    (local.set $sub (i32.load offset=12 (local.get $r)))
    (if (local.get $sub)
      (then
        (call $join (local.get $sub) (i32.const 0))
        (drop (call $subtask-cancel (local.get $sub)))
        (call $subtask-drop (local.get $sub))))
    (call $done (i64.load offset=16 (local.get $r)))
    (call $join (i32.load offset=4 (local.get $r)) (i32.const 0)))

  (func $end (param $r i32) (result i32)
    (call $set-drop (i32.load offset=8 (local.get $r)))
    (call $clear (local.get $r))
    (call $set-record (i32.const 0))
    (call $free (local.get $r))
    (call $returned)
    (i32.const 0))

  (func $wait (param $r i32) (result i32)
    (i32.or (i32.const 2) (i32.shl (i32.load offset=8 (local.get $r)) (i32.const 4))))

  ;; Waits for an answer of the host, if it is not there. Returns whether it is.
  (func $is-answered (param $r i32) (param $status i32) (result i32)
    (local $sub i32)
    (if (i32.eq (i32.and (local.get $status) (i32.const 15)) (i32.const 2)) (then (return (i32.const 1))))
    (local.set $sub (i32.shr_u (local.get $status) (i32.const 4)))
    (i32.store offset=12 (local.get $r) (local.get $sub))
    (call $join (local.get $sub) (i32.load offset=8 (local.get $r)))
    (i32.const 0))

  (func $take-answer (param $r i32)
    (call $subtask-drop (i32.load offset=12 (local.get $r)))
    (i32.store offset=12 (local.get $r) (i32.const 0)))

  ;; Opens as many as the host wants.
  (func $open (export "open") (param $on i32)
    (local $left i32) (local $pair i64)
    (local.set $left (call $wanted))
    (loop $again
      (if (local.get $left)
        (then
          (local.set $pair (call $new))
          (call $opened
            (i32.wrap_i64 (local.get $pair)) (i32.wrap_i64 (i64.shr_u (local.get $pair) (i64.const 32))) (local.get $on))
          (local.set $left (i32.sub (local.get $left) (i32.const 1)))
          (br $again)))))

  (func $open-first (call $open (i32.const -1)))
  (start $open-first)

  (func $is-dropped (param $code i32) (result i32)
    (i32.eq (i32.and (local.get $code) (i32.const 15)) (i32.const 1)))

  ;; Writes what the host has next.
  (func (export "fill") (param $end i32) (param $id i64) (result i32)
    (call $more (call $begin (local.get $end) (local.get $id))))

  (func $more (param $r i32) (result i32)
    (if (call $is-answered (local.get $r)
          (call $next (i64.load offset=16 (local.get $r)) (i32.add (local.get $r) (i32.const 24))))
      (then (return (call $got (local.get $r)))))
    (call $wait (local.get $r)))

  (func $got (param $r i32) (result i32)
    (if (i32.eqz (i32.load8_u offset=24 (local.get $r))) (then (return (call $filled (local.get $r)))))
    (call $ask-for (local.get $r))
    (call $fetch (i64.load offset=16 (local.get $r)) (i32.add (local.get $r) (i32.const 28)))
    (call $ask-for (i32.const 0))
    (i32.store offset=36 (local.get $r) (i32.div_u (i32.load offset=32 (local.get $r)) (i32.const {unit})))
    (call $push (local.get $r)))

  (func $filled (param $r i32) (result i32)
    (call $finish (local.get $r))
    (call $drop-writable (i32.load offset=4 (local.get $r)))
    (call $end (local.get $r)))

  ;; The same, when the reader went away before it had all that was fetched.
  (func $left (param $r i32) (result i32)
    {back}
    (call $filled (local.get $r)))

  {rest}
)
