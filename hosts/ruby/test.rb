# frozen_string_literal: true

# GUIDs handed to many threads, with exact books, and waits that must give up Ruby's lock.

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
    assert_equal left, alive
    @guids = nil
    assert_equal 0, alive
    books = "made #{@made} = delivered #{delivered} + left #{left}, 0 alive"
    Minitest.after_run { puts "note: #{THREADS} threads, #{books}" }
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
    apart do
      guids = FtLocal::Batch.new(SIZE) { @guid.new(guids) }
      guids.load
      nil
    end
    assert_equal 0, alive
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

  def waiting
    go_on = Queue.new
    batch = FtLocal::Batch.new(2) { go_on.pop }
    filler = Thread.new { batch.load }
    Thread.pass until filler.stop?
    waiter = Thread.new { batch.load }
    waiter.report_on_exception = false
    yield batch, waiter
    2.times { |number| go_on << number }
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

  def test_a_waiting_thread_can_be_interrupted
    waiting do |batch, waiter|
      waiter.raise(IOError, "stop")
      assert_equal "stop", assert_raises(IOError) { waiter.value }.message
      assert_raises(Timeout::Error) { Timeout.timeout(0.01) { batch.load } }
      killed = Thread.new { batch.load }
      assert_same killed, killed.kill.join
    end
  end

  def test_a_batch_does_not_load_from_itself
    batch = FtLocal::Batch.new(4) { batch.load }
    assert_match(/source/, assert_raises(ThreadError) { batch.load }.message)
  end

  def test_bad_use_is_named
    assert_match(/size/, assert_raises(ArgumentError) { FtLocal::Batch.new(0) { 1 } }.message)
    assert_raises(ArgumentError) { FtLocal::Batch.new(-1) { 1 } }
    assert_raises(TypeError) { FtLocal::Batch.new("many") { 1 } }
    assert_raises(LocalJumpError) { FtLocal::Batch.new(1) }
    raw = FtLocal::Batch.allocate
    assert_match(/initialize/, assert_raises(ArgumentError) { raw.load }.message)
    assert_raises(NoMethodError) { FtLocal::Batch.new(1) { 1 }.dup }
  end
end
