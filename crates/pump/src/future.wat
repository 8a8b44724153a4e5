  ;; Reads the value, and gives it to the host.
  (func (export "drain") (param $end i32) (param $id i64) (result i32)
    (local $r i32) (local $code i32)
    (local.set $r (call $begin (local.get $end) (local.get $id)))
    (i32.store offset=28 (local.get $r) (call $alloc (i32.const {size})))
    (call $link (local.get $r) (i32.load offset=28 (local.get $r)))
    (local.set $code (call $read (local.get $end) (i32.load offset=28 (local.get $r))))
    (if (i32.eq (local.get $code) (i32.const -1)) (then (return (call $wait (local.get $r)))))
    (call $came (local.get $r) (local.get $code)))

  (func $came (param $r i32) (param $code i32) (result i32)
    (if (i32.eqz (call $is-dropped (local.get $code)))
      (then (call $give (i64.load offset=16 (local.get $r)) (i32.load offset=28 (local.get $r)) (i32.const {unit}))))
    (call $finish (local.get $r))
    (call $drop-readable (i32.load offset=4 (local.get $r)))
    (call $end (local.get $r)))

  (func (export "on-drain") (param $event i32) (param $of i32) (param $code i32) (result i32)
    (call $came (call $record) (local.get $code)))

  (func $push (param $r i32) (result i32)
    (if (i32.eq (i32.const -1) (call $write (i32.load offset=4 (local.get $r)) (i32.load offset=28 (local.get $r))))
      (then (return (call $wait (local.get $r)))))
    (call $filled (local.get $r)))

  (func (export "on-fill") (param $event i32) (param $of i32) (param $code i32) (result i32)
    (local $r i32) (local $buffer i32)
    (local.set $r (call $record))
    (if (i32.eq (local.get $event) (i32.const 1))
      (then
        (if (i32.ne (local.get $code) (i32.const 2)) (then (return (call $wait (local.get $r)))))
        (call $take-answer (local.get $r))
        (return (call $got (local.get $r)))))
    ;; The reader went away before there was a value: only a write says so to the end itself, and an end that was not told may not go.
    (if (i32.load offset=12 (local.get $r))
      (then
        (local.set $buffer (call $alloc (i32.const {size})))
        (call $link (local.get $r) (local.get $buffer))
        (drop (call $write (i32.load offset=4 (local.get $r)) (local.get $buffer)))))
    (call $filled (local.get $r)))
