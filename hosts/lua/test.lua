-- Batches of Lua values in one state, counted by the collector.

local ft_local = require "ft_local"

local SIZE, LOADS = 64, 100001

local function alive(weak)
    collectgarbage()
    collectgarbage()
    local count = 0
    for _ in pairs(weak) do count = count + 1 end
    return count
end

-- A source of tables, each with a number of its own, that remembers them weakly.
local function maker(fails_every)
    local calls, made, weak = 0, 0, setmetatable({}, {__mode = "k"})
    return function()
        calls = calls + 1
        if calls % fails_every == 0 then error({call = calls}) end
        made = made + 1
        local guid = {number = made}
        weak[guid] = true
        return guid
    end, weak, function() return made end
end

local function fails(pattern, f, ...)
    local ok, message = pcall(f, ...)
    assert(not ok and tostring(message):find(pattern), message)
end

local function each_table_goes_to_one_load()
    local source, weak, made = maker(1001)
    local guids <close> = ft_local.batch(SIZE, source)
    local seen, delivered = {}, 0
    while delivered < LOADS do
        local ok, guid = pcall(guids.load, guids)
        if ok then
            assert(not seen[guid.number], "handed out twice")
            seen[guid.number], delivered = true, delivered + 1
        else
            assert(guid.call % 1001 == 0, "not the source's own error")
        end
    end
    local left = #guids
    assert(left > 0 and made() == delivered + left)
    assert(alive(weak) == left)
    guids:close()
    assert(alive(weak) == 0)
    return ("made %d = delivered %d + left %d, 0 alive"):format(made(), delivered, left)
end

local function an_error_of_the_source_reaches_its_load()
    local batch = ft_local.batch(4, (maker(2)))
    local ok, problem = pcall(batch.load, batch)
    assert(not ok and problem.call == 2)
    assert(#batch == 1 and batch:load().number == 1)
end

local function a_circle_of_results_and_batch_is_collected()
    local weak = setmetatable({}, {__mode = "k"})
    do
        local batch
        batch = ft_local.batch(SIZE, function()
            local result = {batch}
            weak[result] = true
            return result
        end)
        batch:load()
        assert(alive(weak) == SIZE - 1)
    end
    assert(alive(weak) == 0)
end

local function any_value_but_nil_can_be_a_result()
    local values = {false, "text", 2.5, print, 7}
    local index = 0
    local batch = ft_local.batch(5, function()
        index = index + 1
        return values[index]
    end)
    for each = 1, 5 do assert(batch:load() == values[each]) end
end

local function sources_may_load_from_other_batches_but_not_their_own()
    local numbers = ft_local.batch(1, function() return 20 end)
    local doubled = ft_local.batch(3, function() return 2 * numbers:load() + 2 end)
    assert(doubled:load() == 42 and #doubled == 2)
    local own
    own = ft_local.batch(2, function() return select(2, pcall(own.load, own)) end)
    assert(own:load():find("source"))
    local closing
    closing = ft_local.batch(2, function() closing:close() end)
    fails("own source", closing.load, closing)
end

local function a_coroutine_may_load()
    local batch = ft_local.batch(2, coroutine.wrap(function()
        for number = 1, 4 do coroutine.yield(number) end
    end))
    local function sum() return batch:load() + batch:load() + batch:load() end
    assert(coroutine.wrap(sum)() == 6 and batch:load() == 4)
end

local function a_source_ends_with_nil_and_so_does_for()
    local numbers, calls = {1, 2, 3}, 0
    local batch = ft_local.batch(2, function()
        calls = calls + 1
        return table.remove(numbers, 1)
    end)
    local sum = 0
    for number in batch do sum = sum + number end
    assert(sum == 6 and calls == 4 and batch() == nil and calls == 4)
    fails("ended", batch.load, batch)
    batch:close()
    fails("closed", batch)
end

-- A source is called in the coroutine whose load runs it, and sees its errors and its stack.
local function the_coroutine_that_loads_runs_the_source()
    local batch = ft_local.batch(2, coroutine.running)
    local function load_twice() return {batch:load(), batch:load(), coroutine.running()} end
    local seen = coroutine.wrap(load_twice)()
    assert(seen[1] == seen[3] and seen[2] == seen[3])
    assert(batch:load() == coroutine.running())
end

local function coroutines_that_load_share_a_batch()
    local last = 0
    local batch = ft_local.batch(4, function()
        last = last + 1
        if last <= 100 then return last end
    end)
    local seen, running = {}, {}
    for each = 1, 10 do
        running[each] = coroutine.create(function()
            for number in batch do
                assert(not seen[number])
                seen[number] = true
                coroutine.yield()
            end
        end)
    end
    while #running > 0 do
        for each = #running, 1, -1 do
            assert(coroutine.resume(running[each]))
            if coroutine.status(running[each]) == "dead" then table.remove(running, each) end
        end
    end
    assert(#seen == 100)
end

-- Whatever a source is left by, its load ends in the same way, and the batch can be used.
local function a_source_may_be_left_in_any_way()
    local function overflow() return 1 + overflow() end
    local ways = {
        function() error() end,
        function() error(false) end,
        function() error("text", 0) end,
        function() error({}) end,
        function() overflow() end,
        function() coroutine.yield() end,
        function() local closed <close> = setmetatable({}, {__close = error}) end,
    }
    for _, way in ipairs(ways) do
        local calls = 0
        local batch = ft_local.batch(4, function()
            calls = calls + 1
            if calls == 2 then way() end
            return calls
        end)
        local direct = select(2, pcall(way))
        local ok, problem = coroutine.wrap(function() return pcall(batch.load, batch) end)()
        assert(not ok and type(problem) == (way == ways[6] and "string" or type(direct)))
        assert(batch:load() == 1 and batch:load() == 3)
    end
end

-- A closed state calls what `<close>` and the collector call, though the source runs.
local function a_source_may_end_the_program()
    for _, close in ipairs {"true", "false"} do
        local script = ("require('ft_local').batch(2, function() os.exit(3, %s) end):load()")
        local command = ('lua5.4 -e "%s" 2>/dev/null'):format(script:format(close))
        local _, how, code = os.execute(command)
        assert(how == "exit" and code == 3, how)
    end
end

-- In pages of memory.
local function resident()
    collectgarbage()
    collectgarbage()
    local file <close> = io.open("/proc/self/statm")
    return tonumber(file:read("*a"):match("^%d+ (%d+)"))
end

local function dropped_batches_are_freed()
    local function make_and_drop()
        for number = 1, 10000 do
            local batch
            batch = ft_local.batch(SIZE, function() return {batch} end)
            batch:load()
            if number % 2 == 0 then batch:close() end
            -- The collector does not know how large a batch is.
            if number % 100 == 0 then collectgarbage() end
        end
    end
    make_and_drop()
    local before = resident()
    make_and_drop()
    -- If they stayed, there would be more than 10,000 others.
    assert(resident() - before < 5000)
end

local function bad_use_is_named()
    for _, size in ipairs {0, -1, 1 << 31, math.mininteger} do
        local ok, message = pcall(ft_local.batch, size, print)
        assert(not ok and message == "size must be between 1 and 1073741824, got " .. size)
    end
    fails("no integer representation", ft_local.batch, 1.5, print)
    fails("number expected", ft_local.batch, "many", print)
    fails("function expected", ft_local.batch, 1)
    local batch = ft_local.batch(1, function() return 1 end)
    fails("batch expected", batch.load, {})
    batch:close()
    batch:close()
    fails("closed", batch.load, batch)
    local yielding = ft_local.batch(1, coroutine.yield)
    fails("yield", coroutine.wrap(function() return yielding:load() end))
end

an_error_of_the_source_reaches_its_load()
a_circle_of_results_and_batch_is_collected()
any_value_but_nil_can_be_a_result()
a_source_ends_with_nil_and_so_does_for()
the_coroutine_that_loads_runs_the_source()
coroutines_that_load_share_a_batch()
sources_may_load_from_other_batches_but_not_their_own()
a_coroutine_may_load()
a_source_may_be_left_in_any_way()
a_source_may_end_the_program()
dropped_batches_are_freed()
bad_use_is_named()
print("one state: " .. each_table_goes_to_one_load())
