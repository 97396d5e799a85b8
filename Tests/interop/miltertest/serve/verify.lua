-- The built-in filters: a stranger's mail is verified, what it claims of itself is taken away, and a forger is refused.
dofile(folder .. "/check.lua")

local function inbound(conn, from, fields)
    mt.macro(conn, SMFIC_MAIL, "i", "QUEUED")
    local all = { { "From", " " .. from }, { "Date", " Mon, 1 Jan 2024 00:00:00 +0000" }, { "Message-ID", " <x@" .. from .. ">" } }
    for _, one in ipairs(fields or {}) do all[#all + 1] = one end
    envelope(conn, "<a@stranger.example>")
    for _, one in ipairs(all) do field(conn, one[1], one[2]) end
    body(conn)
    return eom(conn)
end

run(function()
    local conn = open("name.example", "198.51.100.7")
    equal(inbound(conn, "a@stranger.example", { { "Authentication-Results", " mail.local.example; dkim=pass header.d=bank.example" } }), "continue", "a stranger's mail")
    equal(mt.eom_check(conn, MT_HDRDELETE, "Authentication-Results", 1), true, "the forged result")
    local results = mt.getheader(conn, "Authentication-Results", 0)
    equal(mt.eom_check(conn, MT_HDRINSERT, "Authentication-Results", results, 0), true, "on top")
    for _, part in ipairs({ "mail.local.example;", "spf=fail", "dkim=none", "dmarc=none" }) do
        if not results:find(part, 1, true) then error(part .. " is not in " .. results) end
    end

    equal(inbound(conn, "service@bank.example"), "reply", "a forger's")

    envelope(conn, "<b@stranger.example>")
    field(conn, "From", " service@bank.example")
    mt.abort(conn)
    equal(inbound(conn, "a@stranger.example"), "continue", "afterwards")
    equal(mt.eom_check(conn, MT_HDRDELETE), false, "nothing to take away")
    if mt.eom_check(conn, MT_HDRINSERT, "DKIM-Signature") then error("a stranger's mail was signed") end
    mt.disconnect(conn)

    -- Over IPv6, and from a client of unknown address.
    for _, address in ipairs({ "2001:db8::7", "unspec" }) do
        local other = open("unknown", address)
        equal(inbound(other, "a@stranger.example"), "continue", address)
        equal(mt.eom_check(other, MT_HDRINSERT, "Authentication-Results"), true, address .. ": its results")
        mt.disconnect(other)
    end
end)
