-- Our own people's mail is signed, known by a log-in or by the client's network, and a stranger's is not.
dofile(folder .. "/check.lua")

local function outbound(conn, ...)
    mt.macro(conn, SMFIC_MAIL, "i", "QUEUED", ...)
    envelope(conn, "<alice@local.example>", "<someone@elsewhere.example>")
    for _, one in ipairs({ { "From", " alice@local.example" }, { "Date", " Mon, 1 Jan 2024 00:00:00 +0000" }, { "Message-ID", " <x@local.example>" } }) do
        field(conn, one[1], one[2])
    end
    body(conn)
    equal(eom(conn), "continue", "eom")
    return mt.eom_check(conn, MT_HDRINSERT, "DKIM-Signature") and (mt.getheader(conn, "DKIM-Signature", 0):match("d=([%w.]+)")) or "unsigned"
end

run(function()
    local conn = open("client.example", "198.51.100.7")
    equal(outbound(conn, "{auth_type}", "PLAIN", "{auth_authen}", "alice@local.example"), "local.example", "logged in")
    equal(outbound(conn), "unsigned", "logged in no more")
    mt.abort(conn)
    equal(outbound(conn, "{auth_type}", "PLAIN", "{auth_authen}", "alice@local.example"), "local.example", "once more")
    mt.disconnect(conn)
    equal(outbound(open("own.example", "192.0.2.7")), "local.example", "in the own networks")
end)
