-- What the scripts share. miltertest says nothing of an error and of where it was, so a script puts what it does into run().

local names = {
    [SMFIR_CONTINUE] = "continue", [SMFIR_ACCEPT] = "accept", [SMFIR_REJECT] = "reject", [SMFIR_TEMPFAIL] = "tempfail",
    [SMFIR_DISCARD] = "discard", [SMFIR_REPLYCODE] = "reply", [SMFIR_SKIP] = "skip",
}

function run(script)
    mt.set_timeout(60)
    local fine, why = xpcall(script, debug.traceback)
    if not fine then
        mt.echo("FAILED: " .. tostring(why))
        error(why)
    end
    mt.echo("done")
end

function equal(given, wanted, what)
    if given ~= wanted then error(what .. ": expected " .. tostring(wanted) .. ", got " .. tostring(given), 2) end
end

-- mt.negotiate as its manual has it. miltertest 1.5 takes the two last the other way round: actions for steps, steps for actions.
function negotiate(conn, version, actions, steps) equal(mt.negotiate(conn, version, steps, actions), nil, "negotiation") end

-- A step that must go through; its answer.
function sent(why, conn, what)
    if why ~= nil then error(what .. ": " .. why, 3) end
    return names[mt.getreply(conn)] or tostring(mt.getreply(conn))
end

function connected(conn, host, ip) return sent(mt.conninfo(conn, host or "client.example", ip or "192.0.2.1"), conn, "connect") end
function helo(conn, name) return sent(mt.helo(conn, name or "client.example"), conn, "helo") end
function mail(conn, address, ...) return sent(mt.mailfrom(conn, address or "<a@sender.example>", ...), conn, "mail") end
function rcpt(conn, address, ...) return sent(mt.rcptto(conn, address or "<bob@local.example>", ...), conn, "rcpt") end
function data(conn) return sent(mt.data(conn), conn, "data") end
function field(conn, name, value) return sent(mt.header(conn, name, value), conn, "header") end
function body(conn, text) return sent(mt.bodystring(conn, text or "body\r\n"), conn, "body") end
function eom(conn) return sent(mt.eom(conn), conn, "eom") end

-- A connection, all that this MTA knows negotiated or what is given.
function begun(version, actions, steps)
    local conn = mt.connect(socket, 80, 0.25)
    if conn == nil then error("no connection to " .. socket, 2) end
    negotiate(conn, version, actions, steps)
    return conn
end

-- A connection after HELO, everything negotiated that this MTA knows.
function open(host, ip)
    local conn = begun()
    equal(connected(conn, host, ip), "continue", "connect")
    equal(helo(conn), "continue", "helo")
    return conn
end

-- The envelope as far as the header.
function envelope(conn, sender, recipient)
    equal(mail(conn, sender), "continue", "mail")
    equal(rcpt(conn, recipient), "continue", "rcpt")
    if not mt.test_option(conn, SMFIP_NODATA) then equal(data(conn), "continue", "data") end
end

-- A message with these fields, { name, value } each; the last answer. Values bring the blank after the colon themselves.
function message(conn, fields, text)
    envelope(conn)
    for _, one in ipairs(fields) do field(conn, one[1], one[2]) end
    body(conn, text)
    return eom(conn)
end

-- A message whose X-Do fields make the fixture's filters do that.
function ask(conn, commands, fields)
    local all = {}
    for _, one in ipairs(fields or {}) do all[#all + 1] = one end
    for _, command in ipairs(commands) do all[#all + 1] = { "X-Do", " " .. command } end
    return message(conn, all)
end

-- What the fixture's filters see, by X-Tell, in a message of its own or in the one that is under way.
function told(conn, name, under_way)
    if not under_way then envelope(conn) end
    field(conn, "X-Tell", " " .. name)
    body(conn)
    equal(eom(conn), "continue", "eom")
    return mt.getheader(conn, "X-Facts", 0):match("^ ?(.*)$")
end
