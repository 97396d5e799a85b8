import InternetMessage

/// One expansion: goes through the tables depth first, with a list of its own instead of the stack, since tables may be
/// nested as deep as their limit.
struct ExpansionWalk {
    private struct Step {
        var address: EmailAddress
        var isName = false
        var owner: EmailAddress?
        /// Its own virtual alias named it: that table is done with it.
        var skipsVirtual = false
        /// `\name`, or an alias that named itself.
        var isFinal = false
        /// What it came from, to see circles.
        var path: [EmailAddress] = []
    }

    let expander: AddressExpander
    let start: EmailAddress
    private var waiting: [Step]
    private var targets: [Expansion.Target] = []
    private var expanded: Set<EmailAddress> = []
    private var reached: Set<EmailAddress> = []
    private var wentInCircles = false

    init(expander: AddressExpander, start: EmailAddress) {
        self.expander = expander
        self.start = start
        waiting = [Step(address: start)]
    }

    mutating func run() throws(ExpansionError) -> Expansion {
        while let step = waiting.popLast() { try take(step) }
        if targets.isEmpty, wentInCircles { throw .loop(start) }
        return Expansion(targets: targets, isMapped: !expanded.isEmpty)
    }

    private mutating func take(_ step: Step) throws(ExpansionError) {
        guard step.path.count <= expander.rules.depthLimit else { throw .tooDeep(start, limit: expander.rules.depthLimit) }
        let folded = step.address.folded
        if step.isFinal { return try reach(step) }
        if !step.skipsVirtual, step.path.contains(folded) {
            wentInCircles = true
            return
        }
        if !step.skipsVirtual, let hit = expander.virtualHit(step.address) {
            guard expanded.insert(folded).inserted else { return }
            return follow(hit, step, propagates: expander.rules.virtualPropagates, isAlias: false)
        }
        if step.isName || expander.isLocal(step.address), let hit = expander.aliasHit(step.address.localPart) {
            guard expanded.insert(folded).inserted || step.skipsVirtual else { return }
            return follow(hit, step, propagates: expander.rules.aliasPropagates, isAlias: true)
        }
        try reach(step)
    }

    private mutating func follow(_ hit: AddressExpander.Hit, _ from: Step, propagates: Bool, isAlias: Bool) {
        let owner = isAlias ? self.owner(of: hit.name, from) ?? from.owner : from.owner
        let path = from.path + [from.address.folded]
        let added = propagates ? hit.extension : ""
        let steps = hit.targets.compactMap { target -> Step? in
            var step = Step(address: from.address, owner: owner, path: path)
            switch target {
            case .address(let address): step.address = EmailAddress(localPart: address.localPart + added, domain: address.domain)
            case .domain(let domain): step.address = EmailAddress(localPart: from.address.localPart, domain: domain)
            case .name(let name), .final(let name):
                step.address = EmailAddress(localPart: name + added, domain: domain(for: from))
                step.isName = true
                if case .final = target { step.isFinal = true }
            case .include: return nil
            }
            guard step.address.folded == from.address.folded else { return step }
            if isAlias { step.isFinal = true } else { step.skipsVirtual = true }
            step.isName = step.isName || from.isName
            return step
        }
        waiting += steps.reversed()
    }

    /// The domain of a name: that of the recipient, when it is ours.
    private func domain(for step: Step) -> EmailAddress.Domain {
        expander.isLocal(step.address) ? step.address.domain : .name(expander.rules.origin)
    }

    private func owner(of name: String, _ step: Step) -> EmailAddress? {
        guard !name.hasPrefix("owner-"), expander.aliases.targets(of: "owner-" + name) != nil else { return nil }
        return EmailAddress(localPart: "owner-" + name, domain: domain(for: step))
    }

    private mutating func reach(_ step: Step) throws(ExpansionError) {
        guard reached.insert(step.address.folded).inserted else { return }
        guard targets.count < expander.rules.sizeLimit else { throw .tooLarge(start, limit: expander.rules.sizeLimit) }
        targets.append(Expansion.Target(step.address, isName: step.isName, owner: step.owner))
    }
}
