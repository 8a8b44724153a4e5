  ;; Reads, and gives what is read to the host as it has room.
  (func (export "drain") (param $end i32) (param $id i64) (result i32)
    (call $ask (call $begin (local.get $end) (local.get $id))))

  (func $ask (param $r i32) (result i32)
    (if (call $is-answered (local.get $r)
          (call $room (i64.load offset=16 (local.get $r)) (i32.add (local.get $r) (i32.const 24))))
      (then (return (call $roomy (local.get $r)))))
    (call $wait (local.get $r)))

  (func $roomy (param $r i32) (result i32)
    (i32.store offset=36 (local.get $r) (i32.load offset=24 (local.get $r)))
    (if (i32.eqz (i32.load offset=36 (local.get $r))) (then (return (call $drained (local.get $r)))))
    (call $poll (local.get $r)))

  ;; Waits until there is something to read, with a read of nothing: no buffer is held meanwhile.
  (func $poll (param $r i32) (result i32)
    (local $code i32)
    (local.set $code (call $read (i32.load offset=4 (local.get $r)) (i32.const 0) (i32.const 0)))
    (if (i32.eq (local.get $code) (i32.const -1)) (then (return (call $wait (local.get $r)))))
    (call $ready (local.get $r) (local.get $code)))

  (func $ready (param $r i32) (param $code i32) (result i32)
    (local $buffer i32) (local $count i32)
    (if (call $is-dropped (local.get $code)) (then (return (call $drained (local.get $r)))))
    (local.set $buffer (call $alloc (i32.mul (i32.load offset=36 (local.get $r)) (i32.const {size}))))
    (call $link (local.get $r) (local.get $buffer))
    (call $ask-for (local.get $r))
    (local.set $code
      (call $read (i32.load offset=4 (local.get $r)) (local.get $buffer) (i32.load offset=36 (local.get $r))))
    (if (i32.eq (local.get $code) (i32.const -1))
      (then (local.set $code (call $cancel-read (i32.load offset=4 (local.get $r))))))
    (call $ask-for (i32.const 0))
    (local.set $count (i32.shr_u (local.get $code) (i32.const 4)))
    (if (local.get $count)
      (then
        (call $give
          (i64.load offset=16 (local.get $r)) (local.get $buffer) (i32.mul (local.get $count) (i32.const {unit})))))
    (call $clear (local.get $r))
    (if (call $is-dropped (local.get $code)) (then (return (call $drained (local.get $r)))))
    (if (local.get $count) (then (return (call $ask (local.get $r)))))
    (call $poll (local.get $r)))

  (func $drained (param $r i32) (result i32)
    (call $finish (local.get $r))
    (call $drop-readable (i32.load offset=4 (local.get $r)))
    (call $end (local.get $r)))

  (func (export "on-drain") (param $event i32) (param $of i32) (param $code i32) (result i32)
    (local $r i32)
    (local.set $r (call $record))
    (if (i32.eq (local.get $event) (i32.const 1))
      (then
        (if (i32.ne (local.get $code) (i32.const 2)) (then (return (call $wait (local.get $r)))))
        (call $take-answer (local.get $r))
        (return (call $roomy (local.get $r)))))
    ;; The writer may go away while the host has no room.
    (if (i32.and (i32.ne (i32.load offset=12 (local.get $r)) (i32.const 0))
          (i32.eqz (call $is-dropped (local.get $code))))
      (then (return (call $wait (local.get $r)))))
    (call $ready (local.get $r) (local.get $code)))

  (func $push (param $r i32) (result i32)
    (local $code i32)
    (loop $again
      (if (i32.eqz (i32.load offset=36 (local.get $r)))
        (then
          (call $clear (local.get $r))
          (return (call $more (local.get $r)))))
      (local.set $code
        (call $write (i32.load offset=4 (local.get $r)) (i32.load offset=28 (local.get $r)) (i32.load offset=36 (local.get $r))))
      (if (i32.eq (local.get $code) (i32.const -1)) (then (return (call $wait (local.get $r)))))
      (br_if $again (i32.eqz (call $is-over (local.get $r) (local.get $code)))))
    (call $left (local.get $r)))

  ;; Goes on to what is not written yet. Returns whether nobody reads any more.
  (func $is-over (param $r i32) (param $code i32) (result i32)
    (local $count i32)
    (local.set $count (i32.shr_u (local.get $code) (i32.const 4)))
    (i32.store offset=28 (local.get $r)
      (i32.add (i32.load offset=28 (local.get $r)) (i32.mul (local.get $count) (i32.const {size}))))
    (i32.store offset=36 (local.get $r) (i32.sub (i32.load offset=36 (local.get $r)) (local.get $count)))
    (call $is-dropped (local.get $code)))

  (func (export "on-fill") (param $event i32) (param $of i32) (param $code i32) (result i32)
    (local $r i32)
    (local.set $r (call $record))
    (if (i32.eq (local.get $event) (i32.const 1))
      (then
        (if (i32.ne (local.get $code) (i32.const 2)) (then (return (call $wait (local.get $r)))))
        (call $take-answer (local.get $r))
        (return (call $got (local.get $r)))))
    (if (call $is-over (local.get $r) (local.get $code)) (then (return (call $left (local.get $r)))))
    (if (i32.load offset=12 (local.get $r)) (then (return (call $wait (local.get $r)))))
    (call $push (local.get $r)))
