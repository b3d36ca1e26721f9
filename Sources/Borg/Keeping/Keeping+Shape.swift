import Settings

extension Shape<Retention> {
    /// What may stand under `keep:`.
    static var retention: Shape {
        let keys = Retention.Rule.allCases.reduce(ObjectShape(default: Retention())) { keys, rule in
            keys.optional(rule.rawValue, \.[rule], .periods.example(.integer(rule.example)), rule.help)
        }
        return keys.optional(
            "within", \.within, .span.example("14d"),
            "Keep every younger archive: 36H, 14d, 2w, 6m (months of 31 days) or 1y."
        )
        .example("{daily: 7, weekly: 4}")
        .shape.checked(["minProperties": 1]) { retention in
            retention.isEmpty
                ? Fault("keeps nothing: every archive would go", hint: "Write what to keep, such as daily: 7.")
                : nil
        }
    }
}

extension Retention.Rule {
    fileprivate var example: Int64 {
        switch self {
        case .last: 3
        case .secondly, .minutely: 60
        case .hourly: 24
        case .daily: 7
        case .weekly: 4
        case .monthly: 6
        case .yearly: 2
        }
    }

    fileprivate var help: String {
        switch self {
        case .last: "Keep this many of the newest archives; -1 keeps all."
        case .secondly: "Keep the newest archive of each second, for this many seconds that have one; -1 keeps all."
        case .minutely: "Keep the newest archive of each minute, for this many minutes that have one; -1 keeps all."
        case .hourly: "Keep the newest archive of each hour, for this many hours that have one; -1 keeps all."
        case .daily: "Keep the newest archive of each day (UTC), for this many days that have one; -1 keeps all."
        case .weekly: "Keep the newest archive of each week (UTC), for this many weeks that have one; -1 keeps all."
        case .monthly: "Keep the newest archive of each month (UTC), for this many months that have one; -1 keeps all."
        case .yearly: "Keep the newest archive of each year (UTC), for this many years that have one; -1 keeps all."
        }
    }
}

extension Shape<Int> {
    fileprivate static var periods: Shape {
        integer(-1...1_000_000).checked(["not": ["const": 0]]) {
            $0 == 0 ? Fault("must not be 0", hint: "Leave the key out, or write -1 to keep all.") : nil
        }
    }
}

extension Shape<Retention.Span> {
    fileprivate static var span: Shape {
        let text = Shape<String>.matching(
            "[1-9][0-9]{0,4}[Hdwmy]", "a span such as 36H, 14d, 2w, 6m or 1y",
            hint: "H is hours, d days, w weeks, m months of 31 days, y years, as borg prune --keep-within has them.")
        // What matches is a span.
        return Shape(schema: text.schema) { node, diagnostics in
            text.read(node, &diagnostics).map { Retention.Span($0)! }
        } writer: {
            .text($0.description)
        }
    }
}

extension Shape<CheckSchedule> {
    /// What may stand under `check:`.
    static var checkSchedule: Shape {
        ObjectShape(default: CheckSchedule())
            .optional(
                "every", \.every, .interval.example("7d"),
                "Check segments and archives when the last check is this old."
            )
            .optional(
                "verify_data", \.verifyData, .interval.example("90d"),
                "Also read and decrypt all data when the last such check is this old."
            )
            .optional(
                "max_duration", \.maxDuration, .duration(atLeast: .seconds(1)).example("30m"),
                "A check under 'every' takes at most this long, reads segments only, and continues where the last one stopped."
            )
            .check("max_duration", "every") {
                $0.maxDuration != nil && $0.every == nil
                    ? Fault(
                        "needs 'every'", hint: "It limits the checks under 'every'; Borg has no limit for verify_data.")
                    : nil
            }
            .example("{every: 7d}")
            .shape.checked(["minProperties": 1]) {
                $0.every == nil && $0.verifyData == nil
                    ? Fault("checks nothing", hint: "Write how often, such as every: 7d.") : nil
            }
    }
}

extension Shape<Duration> {
    fileprivate static var interval: Shape { duration(atLeast: .seconds(60)) }
}
