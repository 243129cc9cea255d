-- GUIDs as tables, handed out by a batch, counted by the collector.

local ft_local = require "ft_local"

local SIZE, LOADS = 64, 200001

-- A compiled trace keeps the functions it was compiled for.
local function alive(weak)
    jit.flush()
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
    local guids = ft_local.batch(SIZE, source)
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
    local left = guids:length()
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
    assert(batch:length() == 1 and batch:load().number == 1)
end

local function a_circle_of_results_and_batch_is_collected()
    local weak = setmetatable({}, {__mode = "k"})
    local function forget()
        local batch
        batch = ft_local.batch(SIZE, function()
            local result = {batch}
            weak[result] = true
            return result
        end)
        batch:load()
        assert(alive(weak) == SIZE - 1)
    end
    forget()
    assert(alive(weak) == 0)
end

-- LuaJIT leaves a C function uncompiled once it has called back. So this test comes first: were
-- `close` compiled, for batches with nothing left, the first with something left would call back.
local function a_hot_loop_may_release()
    local batches = {}
    for number = 1, 1000 do
        batches[number] = ft_local.batch(number <= 990 and 1 or 2, function() return number end)
        batches[number]:load()
    end
    for number = 1, 1000 do batches[number]:close() end
end

-- Far more than LuaJIT has callbacks for.
local function there_may_be_many_batches()
    local batches = {}
    for number = 1, 5000 do
        batches[number] = ft_local.batch(1, function() return number end)
    end
    for number = 1, 5000 do assert(batches[number]:load() == number) end
end

local function sources_may_load_from_other_batches_but_not_their_own()
    local numbers = ft_local.batch(1, function() return 20 end)
    local doubled = ft_local.batch(3, function() return 2 * numbers:load() + 2 end)
    assert(doubled:load() == 42 and doubled:length() == 2)
    local own
    own = ft_local.batch(2, function() return select(2, pcall(own.load, own)) end)
    assert(own:load():find("source"))
    local closing
    closing = ft_local.batch(2, function() closing:close() end)
    fails("own source", closing.load, closing)
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

local function a_source_may_end_the_program()
    for _, close in ipairs {"true", "false"} do
        local script = "require('ft_local').batch(2, function() os.exit(3, %s) end):load()"
        local command = ('luajit -e "%s" 2>/dev/null'):format(script:format(close))
        assert(os.execute(command) == 3 * 256)
    end
end

-- In pages of memory.
local function resident()
    collectgarbage()
    collectgarbage()
    local file = io.open("/proc/self/statm")
    local pages = tonumber(file:read("*a"):match("^%d+ (%d+)"))
    file:close()
    return pages
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

-- What is refused, and in which words.
local function bad_use_is_named()
    local batch = ft_local.batch(1, function() return false end)
    assert(batch:load() == false)
    local own
    own = ft_local.batch(1, function() return own:load() end)
    local closed = ft_local.batch(1, print)
    closed:close()
    closed:close()
    local cases = {
        {"size must be a number, got a string", ft_local.batch, "1", print},
        {"size must be a number, got a nil", ft_local.batch, nil, print},
        {"source must be a function, got a nil", ft_local.batch, 1},
        {"source must be a function, got a table", ft_local.batch, 1, {}},
        {"batch expected, got a nil; call methods with a colon", batch.load},
        {"batch expected, got a table; call methods with a colon", batch.length, {}},
        {"batch expected, got a number; call methods with a colon", batch.close, 1},
        {"batch expected, got a nil; call methods with a colon", batch.results},
        {"the source loads from its own batch, and nothing is ready", own.load, own},
        {"the batch is closed", closed.load, closed},
        {"the batch is closed", closed.length, closed},
    }
    for _, size in ipairs {0, -1, 1.5, 2^31, 0/0, 1/0} do
        local text = "size must be an integer from 1 to 1073741824, got " .. tostring(size)
        cases[#cases + 1] = {text, ft_local.batch, size, print}
    end
    for _, case in ipairs(cases) do
        local ok, message = pcall(case[2], case[3], case[4])
        assert(not ok and message:find(case[1], 1, true) and not message:find("FT_LOCAL"), message)
    end
    local yielding = ft_local.batch(1, coroutine.yield)
    fails("yield", coroutine.wrap(function() return yielding:load() end))
end

local function a_source_ends_by_returning_nil()
    local made = 0
    local batch = ft_local.batch(4, function()
        made = made + 1
        if made <= 10 then return made end
    end)
    local sum = 0
    for number in batch:results() do sum = sum + number end
    assert(sum == 55 and made == 11)
    fails("the source has ended", batch.load, batch)
    assert(made == 11, "a source that has ended is not called")
    -- A loop that is left has loaded what it saw, and one over a closed batch ends.
    local numbers, last = nil, 0
    numbers = ft_local.batch(8, function() last = last + 1; return last end)
    for number in numbers:results() do
        if number == 3 then break end
    end
    assert(numbers:load() == 4)
    for number in numbers:results() do
        assert(number == 5)
        numbers:close()
    end
    fails("no more", function()
        for _ in ft_local.batch(1, function() error("no more") end):results() do end
    end)
end

a_source_ends_by_returning_nil()
a_hot_loop_may_release()
an_error_of_the_source_reaches_its_load()
a_circle_of_results_and_batch_is_collected()
there_may_be_many_batches()
sources_may_load_from_other_batches_but_not_their_own()
a_source_may_be_left_in_any_way()
a_source_may_end_the_program()
dropped_batches_are_freed()
bad_use_is_named()
print("note: " .. each_table_goes_to_one_load())
