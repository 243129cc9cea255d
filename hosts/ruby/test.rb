# frozen_string_literal: true

# GUIDs handed to many threads, counted, and waits that must release Ruby's lock.

require "ft_local"
require "minitest/autorun"
require "securerandom"
require "timeout"

Guid = Struct.new(:text)

class BatchTest < Minitest::Test
  SIZE = 64
  LOADS = 20_001
  THREADS = 4

  # The collector takes whatever on a stack looks like an object for one. So what is counted is
  # touched only in threads that have ended, and is of a class that no other test uses.
  def apart(&block) = Thread.new(&block).value

  def setup = @guid = Class.new(Guid)

  # A word that the collector leaves on a stack when it marks an object can keep that alive later.
  def alive
    apart do
      GC.start
      ObjectSpace.each_object(@guid).count
    end
  end

  # Raises now and then.
  def make
    @calls = @calls.to_i + 1
    raise IOError, "call #{@calls}" if (@calls % 1001).zero?

    @made = @made.to_i + 1
    @guid.new(SecureRandom.uuid)
  end

  def load_text
    @guids.load.text
  rescue IOError
    retry
  end

  def test_each_guid_goes_to_one_thread
    apart { @guids = FtLocal::Batch.new(SIZE) { make } }
    threads = Array.new(THREADS) { Thread.new { Array.new(LOADS) { load_text } } }
    delivered = THREADS * LOADS
    assert_equal delivered, threads.flat_map(&:value).uniq.size
    left = apart { @guids.length }
    assert_equal @made, delivered + left
    assert_includes left..left + SIZE, alive
    counts = "made #{@made} = delivered #{delivered} + left #{left}"
    Minitest.after_run { puts "note: #{THREADS} threads, #{counts}" }
  end

  def test_what_is_in_the_buffer_stays_alive
    guids = FtLocal::Batch.new(SIZE) { Guid.new(+"0") }
    GC.stress = true
    texts = Array.new(2 * SIZE) { guids.load.text }
    GC.stress = false
    assert_equal ["0"], texts.uniq
  ensure
    GC.stress = false
  end

  def test_a_batch_and_results_that_refer_to_it_are_collected
    100.times do
      apart do
        guids = FtLocal::Batch.new(SIZE) { @guid.new(guids) }
        guids.load
        nil
      end
    end
    assert_operator alive, :<, 10 * SIZE
  end

  def test_any_value_can_be_a_result
    values = [nil, false, true, 1, :name, 2.5, 1 << 70]
    left = values.dup
    batch = FtLocal::Batch.new(values.size) { left.shift }
    assert_equal values, values.map { batch.load }
  end

  def test_an_error_of_the_source_reaches_its_load
    numbers = (1..).each
    batch = FtLocal::Batch.new(4) { numbers.next.then { |n| n == 2 ? raise(IOError, "two") : n } }
    assert_equal "two", assert_raises(IOError) { batch.load }.message
    assert_equal 1, batch.length
    assert_equal [1, 3, 4], Array.new(3) { batch.load }
  end

  def test_throw_crosses_the_library
    batch = FtLocal::Batch.new(4) { throw :out, 42 }
    assert_equal 42, catch(:out) { batch.load }
  end

  def test_throw_with_nothing_to_catch_it_is_an_error
    batch = FtLocal::Batch.new(4) { throw :out, 42 }
    assert_raises(UncaughtThrowError) { batch.load }
  end

  def test_a_source_cannot_break_or_return
    [proc { break 1 }, proc { return 1 }].each do |source|
      assert_raises(LocalJumpError) { FtLocal::Batch.new(2, &source).load }
    end
  end

  # Nothing of that breaks the batch, in this thread or another.
  def test_a_source_cannot_leave_its_fiber
    yields = true
    batch = FtLocal::Batch.new(2) { yields ? Fiber.yield(:left) : 1 }
    assert_match(/yielded/, assert_raises(FiberError) { batch.load }.message)
    inside = Fiber.new { batch.load }
    assert_match(/yielded/, assert_raises(FiberError) { inside.resume }.message)
    yields = false
    assert_equal 1, batch.load
    assert_equal 1, Fiber.new { batch.load }.resume
    assert_equal 1, Thread.new { batch.load }.value
  end

  def test_a_fiber_that_a_source_yielded_is_does_no_harm
    kept = nil
    calls = 0
    batch = FtLocal::Batch.new(2) do
      kept ||= Fiber.current
      Fiber.yield if (calls += 1) == 1
      calls
    end
    assert_raises(FiberError) { batch.load }
    assert_nil kept.resume
    refute_predicate kept, :alive?
    assert_equal [2, 3], [batch.load, batch.load]
  end

  def test_a_source_may_use_fibers
    numbers = Fiber.new { 3.times { |number| Fiber.yield number } }
    batch = FtLocal::Batch.new(2) { numbers.resume }
    assert_equal [0, 1, 2], Array.new(3) { batch.load }
  end

  # As much of a scheduler as it takes to run another fiber while one sleeps.
  class Scheduler
    def initialize = @ready = []

    def fiber(&block) = Fiber.new(blocking: false, &block).tap(&:resume)

    def kernel_sleep(*)
      @ready << Fiber.current
      Fiber.yield
    end

    def block(*) = raise(NotImplementedError)
    def unblock(*) = raise(NotImplementedError)
    def io_wait(*) = raise(NotImplementedError)

    def close
      @ready.shift.resume until @ready.empty?
    end
  end

  def test_fibers_of_a_scheduler_load_while_the_source_sleeps
    calls = 0
    batch = FtLocal::Batch.new(2) { sleep(0).then { calls += 1 } }
    loaded = []
    Thread.new do
      Fiber.set_scheduler(Scheduler.new)
      3.times { Fiber.schedule { sleep(0).then { loaded << batch.load } } }
    end.join
    assert_equal [1, 2, 3], loaded
  end

  # A scheduler whose fibers can be woken by other threads. Time flies: a fiber that waits with a
  # timeout goes on at once.
  class WakingScheduler < Scheduler
    attr_reader :waiting

    def initialize
      super
      @ready = Queue.new
      @waiting = {}
    end

    def block(_blocker, timeout = nil)
      @waiting[Fiber.current] = true
      @ready << Fiber.current if timeout
      Fiber.yield
    ensure
      @waiting.delete(Fiber.current)
    end

    def unblock(_blocker, fiber) = @ready << fiber

    def close
      until @ready.empty? && @waiting.empty?
        fiber = @ready.pop
        fiber.resume if fiber.alive?
      end
    end
  end

  # Runs a block in a thread with a scheduler, while another thread is in the source of a batch of
  # which it returns what the block puts into the array that it gets.
  def with_fibers
    go_on = Queue.new
    batch = FtLocal::Batch.new(1) { go_on.pop }
    filler = Thread.new { batch.load }
    Thread.pass until filler.stop?
    loaded = []
    Thread.new do
      Fiber.set_scheduler(scheduler = WakingScheduler.new)
      yield batch, loaded, go_on, scheduler
    end.join
    go_on << :last
    filler.join
    loaded
  end

  def test_fibers_wait_in_their_scheduler_and_do_not_block_their_thread
    loaded = with_fibers do |batch, results, go_on, scheduler|
      10.times { Fiber.schedule { results << batch.load } }
      assert_equal 10, scheduler.waiting.size
      11.times { |number| go_on << number }
    end
    # The first is the filler's.
    assert_equal 10, loaded.uniq.size
    assert_empty loaded - [*0..10]
  end

  def test_a_fiber_stops_waiting_by_a_timeout_or_an_exception_and_loses_nothing
    loaded = with_fibers do |batch, results, go_on, _|
      Fiber.schedule { results << assert_raises(Timeout::Error) { batch.load(timeout: 0.001) } }
      stopped = Fiber.schedule { results << assert_raises(IOError) { batch.load } }
      stopped.raise(IOError, "stop")
      Fiber.schedule { results << batch.load }
      2.times { |number| go_on << number }
    end
    numbers, errors = loaded.partition { |each| each.is_a?(Integer) }
    assert_equal [IOError, Timeout::Error], errors.map(&:class).sort_by(&:name)
    assert_equal 1, numbers.size
  end

  def test_close_wakes_the_fibers_that_wait
    loaded = with_fibers do |batch, results, *|
      3.times { Fiber.schedule { results << assert_raises(ClosedQueueError) { batch.load } } }
      batch.close
    end
    assert_equal 3, loaded.size
  end

  def test_a_source_ends_with_stop_iteration_and_so_does_each
    numbers = [1, 2, 3, 4].each
    batch = FtLocal::Batch.new(3) { numbers.next }
    assert_equal 1, batch.load
    assert_equal [4, 6, 8], batch.map { |number| 2 * number }
    assert_match(/ended/, assert_raises(StopIteration) { batch.load }.message)
    loop { batch.load }
    assert_empty batch.each.to_a
    assert_same batch, batch.each { flunk }
  end

  def test_an_error_of_the_source_comes_out_of_each
    calls = 0
    batch = FtLocal::Batch.new(1) { (calls += 1) == 3 ? raise(IOError, "three") : calls }
    seen = []
    assert_raises(IOError) { batch.each { |number| seen << number } }
    assert_equal [[1, 2], 4], [seen, batch.first]
  end

  def test_a_load_waits_no_longer_than_its_timeout
    waiting do |batch, waiter|
      [0, 0.001].each do |timeout|
        assert_raises(Timeout::Error) { batch.load(timeout: timeout) }
      end
      assert_predicate waiter, :alive?
    end
    assert_equal 1, FtLocal::Batch.new(1) { 1 }.load(timeout: nil)
  end

  def test_a_thread_can_be_killed_in_its_source
    reached = Queue.new
    batch = FtLocal::Batch.new(2) { reached << 1 and Thread.stop }
    ensured = false
    filler = Thread.new do
      batch.load
    ensure
      ensured = true
    end
    reached.pop
    assert_same filler, filler.kill.join
    assert ensured
    other = Thread.new { batch.load }
    other.report_on_exception = false
    reached.pop
    other.raise(IOError, "stop")
    assert_equal "stop", assert_raises(IOError) { other.value }.message
  end

  def test_exit_in_a_source_is_a_system_exit
    batch = FtLocal::Batch.new(2) { exit 3 }
    assert_equal 3, assert_raises(SystemExit) { batch.load }.status
  end

  def waiting
    go_on = Queue.new
    batch = FtLocal::Batch.new(2) { go_on.pop }
    filler = Thread.new { batch.load }
    Thread.pass until filler.stop?
    waiter = Thread.new { batch.load }
    waiter.report_on_exception = false
    Thread.pass until batch.waits == 1
    yield batch, waiter
    # The filler may end after its own result, and the waiter then fills.
    4.times { |number| go_on << number }
    assert_equal 0, filler.value
  end

  # If the waiting thread kept Ruby's lock, others would get it only when it looks for interrupts,
  # every 50 ms, so that this takes longer than the script allows; without that, they never would.
  def test_a_waiting_thread_gives_up_the_lock
    there = Queue.new
    back = Queue.new
    waiting do |_, waiter|
      echo = Thread.new { 20_000.times { back << there.pop } }
      20_000.times { |number| there << number && back.pop }
      echo.join
      assert_predicate waiter, :alive?
      @waiter = waiter
    end
    assert_equal 1, @waiter.value
  end

  # Ruby refuses to wait in a thread whose time is up, and the turn of another comes only when the
  # thread looks for interrupts.
  def test_a_thread_whose_time_is_up_lets_others_run
    results = Queue.new
    batch = FtLocal::Batch.new(2) { results.pop }
    loaders = Array.new(3) { Thread.new { Array.new(100) { batch.load } } }
    there = Queue.new
    back = Queue.new
    echo = Thread.new { 60_000.times { back << there.pop } }
    300.times do |number|
      200.times { there << 1 and back.pop }
      results << number
    end
    # The last fill may want a second result.
    results << 300
    echo.join
    assert_equal [*0...300], loaders.flat_map(&:value).sort
  end

  def test_a_waiting_thread_can_be_interrupted
    waiting do |batch, waiter|
      waiter.raise(IOError, "stop")
      assert_equal "stop", assert_raises(IOError) { waiter.value }.message
      assert_raises(Timeout::Error) { Timeout.timeout(0.01) { batch.load } }
      killed = Thread.new { batch.load }
      assert_same killed, killed.kill.join
    end
  end

  def test_a_handler_of_a_signal_runs_in_a_thread_that_waits
    waiting do |batch, waiter|
      handled = Queue.new
      before = trap("USR1") { handled << 1 }
      Process.kill("USR1", Process.pid)
      assert_equal 1, handled.pop
      assert_predicate waiter, :alive?
      refute_predicate batch, :closed?
      trap("USR1", before)
    end
  end

  def test_close_wakes_a_thread_that_waits
    calls = 0
    go_on = Queue.new
    batch = FtLocal::Batch.new(2) { (calls += 1) && go_on.pop }
    filler = Thread.new { batch.load }
    Thread.pass until filler.stop?
    waiter = Thread.new { batch.load }
    waiter.report_on_exception = false
    Thread.pass until batch.waits == 1
    batch.close
    assert_raises(ClosedQueueError) { waiter.value }
    go_on << 7
    assert_equal 7, filler.value
    assert_equal [1, 0, true], [calls, batch.length, batch.closed?]
    assert_raises(ClosedQueueError) { batch.load }
  end

  def resident
    2.times { GC.start }
    Integer(File.read("/proc/self/statm").split[1], 10)
  end

  def make_and_drop_batches
    apart do
      10_000.times do |number|
        batch = FtLocal::Batch.new(64) { batch && 1 }
        batch.load
        batch.close if number.even?
      end
    end
  end

  def test_dropped_batches_are_freed
    make_and_drop_batches
    before = resident
    batches = FtLocal.batches
    make_and_drop_batches
    # In pages. If they stayed there would be more than 5,000 others.
    assert_operator resident - before, :<, 2_500
    # The collector may take a word on the stack for one of them.
    assert_operator FtLocal.batches - batches, :<, 100
  end

  def test_a_batch_does_not_load_from_itself
    batch = FtLocal::Batch.new(4) { batch.load }
    assert_match(/source/, assert_raises(ThreadError) { batch.load }.message)
  end

  def test_bad_use_is_named
    [0, -1, 1 << 31, 1 << 70].each do |size|
      text = "size must be between 1 and 1073741824, got #{size}"
      assert_equal text, assert_raises(ArgumentError) { FtLocal::Batch.new(size) { 1 } }.message
    end
    [1.5, "many", nil, 2r].each do |size|
      error = assert_raises(TypeError) { FtLocal::Batch.new(size) { 1 } }
      assert_equal "size must be an Integer, got #{size.class}", error.message
    end
    assert_raises(LocalJumpError) { FtLocal::Batch.new(1) }
    batch = FtLocal::Batch.new(1) { 1 }
    [-1, Float::NAN].each do |seconds|
      text = "timeout must be 0 or more seconds, got #{seconds}"
      assert_equal text, assert_raises(ArgumentError) { batch.load(timeout: seconds) }.message
    end
    assert_raises(TypeError) { batch.load(timeout: "soon") }
    assert_raises(ArgumentError) { batch.load(within: 1) }
    raw = FtLocal::Batch.allocate
    assert_match(/initialize/, assert_raises(ArgumentError) { raw.load }.message)
    assert_raises(NoMethodError) { FtLocal::Batch.new(1) { 1 }.dup }
  end
end
