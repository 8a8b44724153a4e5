  ;; The records of those who wait for a value.
  (global $waiting (mut i32) (i32.const 0))

  ;; Reads the value, and gives it to the host.
  (func (export "drain") (param $end i32) (param $id i64) (result i32)
    (local $r i32) (local $buffer i32) (local $code i32)
    (local.set $r (call $begin (local.get $end) (local.get $id)))
    (local.set $buffer (call $alloc (i32.const {size})))
    (call $link (local.get $r) (local.get $buffer))
    (memory.fill (local.get $buffer) (i32.const 0xff) (i32.const {size}))
    (i32.store offset=28 (local.get $r) (local.get $buffer))
    (i32.store offset=40 (local.get $r) (global.get $waiting))
    (global.set $waiting (local.get $r))
    (local.set $code (call $read (local.get $end) (local.get $buffer)))
    (if (i32.eq (local.get $code) (i32.const -1)) (then (return (call $wait (local.get $r)))))
    (call $came (local.get $r) (local.get $code)))

  (func $came (param $r i32) (param $code i32) (result i32)
    (call $remove (local.get $r))
    (if (i32.eqz (call $is-dropped (local.get $code)))
      (then (call $give (i64.load offset=16 (local.get $r)) (i32.load offset=28 (local.get $r)) (i32.const {unit}))))
    ;; What the values refer to is nobody's. It can go when no value is there that was not given to the host.
    (if (i32.eqz (call $has-come)) (then (call $clear (i32.const 128))))
    (call $finish (local.get $r))
    (call $drop-readable (i32.load offset=4 (local.get $r)))
    (call $end (local.get $r)))

  (func $remove (param $r i32)
    (local $at i32)
    (if (i32.eq (global.get $waiting) (local.get $r))
      (then
        (global.set $waiting (i32.load offset=40 (local.get $r)))
        (return)))
    (local.set $at (global.get $waiting))
    (loop $again
      (if (local.get $at)
        (then
          (if (i32.eq (i32.load offset=40 (local.get $at)) (local.get $r))
            (then
              (i32.store offset=40 (local.get $at) (i32.load offset=40 (local.get $r)))
              (return)))
          (local.set $at (i32.load offset=40 (local.get $at)))
          (br $again)))))

  ;; Tells whether one of those who wait has a value already. Where nothing was written, all bytes are 0xff; a value that refers to
  ;; something has a place and a length in it, which are not.
  (func $has-come (result i32)
    (local $at i32) (local $byte i32) (local $end i32)
    (local.set $at (global.get $waiting))
    (loop $again
      (if (local.get $at)
        (then
          (local.set $byte (i32.load offset=28 (local.get $at)))
          (local.set $end (i32.add (local.get $byte) (i32.const {size})))
          (loop $bytes
            (if (i32.lt_u (local.get $byte) (local.get $end))
              (then
                (if (i32.ne (i32.load8_u (local.get $byte)) (i32.const 0xff)) (then (return (i32.const 1))))
                (local.set $byte (i32.add (local.get $byte) (i32.const 1)))
                (br $bytes))))
          (local.set $at (i32.load offset=40 (local.get $at)))
          (br $again))))
    (i32.const 0))

  (func (export "on-drain") (param $event i32) (param $of i32) (param $code i32) (result i32)
    (call $came (call $record) (local.get $code)))

  (func $push (param $r i32) (result i32)
    (local $code i32)
    (local.set $code (call $write (i32.load offset=4 (local.get $r)) (i32.load offset=28 (local.get $r))))
    (if (i32.eq (local.get $code) (i32.const -1)) (then (return (call $wait (local.get $r)))))
    (call $over (local.get $r) (local.get $code)))

  (func $over (param $r i32) (param $code i32) (result i32)
    (if (call $is-dropped (local.get $code)) (then (return (call $left (local.get $r)))))
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
    (call $over (local.get $r) (local.get $code)))
