-- GUIDs as tables, handed out by a batch, with books kept by the collector.

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

local function books()
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

local function bad_use_is_named()
    fails("size", ft_local.batch, 0, print)
    fails("size", ft_local.batch, -1, print)
    fails("source is no function", ft_local.batch, 1)
    local batch = ft_local.batch(1, function() return false end)
    assert(batch:load() == false)
    batch:close()
    batch:close()
    fails("closed", batch.load, batch)
    local yielding = ft_local.batch(1, coroutine.yield)
    fails("yield", coroutine.wrap(function() return yielding:load() end))
end

a_hot_loop_may_release()
an_error_of_the_source_reaches_its_load()
a_circle_of_results_and_batch_is_collected()
there_may_be_many_batches()
sources_may_load_from_other_batches_but_not_their_own()
bad_use_is_named()
print("note: " .. books())
