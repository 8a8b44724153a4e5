(core module $Heap
  (memory (export "memory") 1)
  ;; Word N of the first 128 bytes is the list of free blocks of 1 << N bytes; word 32 is the list of blocks that are no task's.
  (global $top (mut i32) (i32.const 256))

  ;; The record of the task that asks the host or the engine for something at this moment, or zero. A record begins with the list of the
  ;; blocks that are the task's. Only the value of a future comes when nobody asks, and then there is no telling whose it is.
  (global $asking (mut i32) (i32.const 0))
  (func (export "ask-for") (param $record i32) (global.set $asking (local.get $record)))

  ;; Returns a block for so many bytes. Blocks are powers of two; before each are the next one of its list, and its power.
  (func $alloc (export "alloc") (param $size i32) (result i32)
    (local $power i32) (local $block i32) (local $end i32)
    (if (i32.gt_u (local.get $size) (i32.const 0x3fffff00)) (then unreachable))
    (local.set $power (i32.sub (i32.const 32) (i32.clz (i32.add (local.get $size) (i32.const 15)))))
    (if (i32.lt_u (local.get $power) (i32.const 5)) (then (local.set $power (i32.const 5))))
    (local.set $block (i32.load (i32.shl (local.get $power) (i32.const 2))))
    (if (local.get $block)
      (then (i32.store (i32.shl (local.get $power) (i32.const 2)) (i32.load (local.get $block))))
      (else
        (local.set $block (global.get $top))
        (local.set $end (i32.add (local.get $block) (i32.shl (i32.const 1) (local.get $power))))
        (if (i32.lt_u (local.get $end) (local.get $block)) (then unreachable))
        (if (i32.gt_u (local.get $end) (i32.shl (memory.size) (i32.const 16)))
          (then
            (if (i32.eq (i32.const -1)
                  (memory.grow (i32.sub
                    (i32.shr_u (i32.add (local.get $end) (i32.const 0xffff)) (i32.const 16)) (memory.size))))
              (then unreachable))))
        (global.set $top (local.get $end))))
    (i32.store offset=4 (local.get $block) (local.get $power))
    (i32.add (local.get $block) (i32.const 16)))

  (func $free (export "free") (param $at i32)
    (local $block i32) (local $list i32)
    (local.set $block (i32.sub (local.get $at) (i32.const 16)))
    (local.set $list (i32.shl (i32.load offset=4 (local.get $block)) (i32.const 2)))
    (i32.store (local.get $block) (i32.load (local.get $list)))
    (i32.store (local.get $list) (local.get $block)))

  ;; Makes a block one of a list's.
  (func $link (export "link") (param $list i32) (param $at i32)
    (local $block i32)
    (local.set $block (i32.sub (local.get $at) (i32.const 16)))
    (i32.store (local.get $block) (i32.load (local.get $list)))
    (i32.store (local.get $list) (local.get $block)))

  ;; Frees all blocks of a list.
  (func (export "clear") (param $list i32)
    (local $block i32)
    (loop $again
      (local.set $block (i32.load (local.get $list)))
      (if (local.get $block)
        (then
          (i32.store (local.get $list) (i32.load (local.get $block)))
          (call $free (i32.add (local.get $block) (i32.const 16)))
          (br $again)))))

  (func (export "realloc") (param $old i32) (param $had i32) (param $align i32) (param $size i32) (result i32)
    (local $at i32) (local $list i32)
    (local.set $at (call $alloc (local.get $size)))
    (local.set $list (global.get $asking))
    (if (i32.eqz (local.get $list)) (then (local.set $list (i32.const 128))))
    (call $link (local.get $list) (local.get $at))
    (if (local.get $old)
      (then
        (memory.copy (local.get $at) (local.get $old)
          (select (local.get $had) (local.get $size) (i32.lt_u (local.get $had) (local.get $size))))))
    (local.get $at))
)
