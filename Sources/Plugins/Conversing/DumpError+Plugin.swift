import DumpCore
import Processes

extension DumpError {
    /// A line that the protocol does not allow.
    init(protocolFault fault: EventFault, _ line: String, of call: PluginCall) {
        self.init(
            .pluginProtocol, "plugin '\(call.plugin.name)' does not keep to the protocol: \(fault.reason)",
            hint:
                "This is a fault of the plugin: report it to its authors. What else the program prints belongs on standard error.",
            context: ["verb": call.verb.rawValue, "line": String(line.prefix(300)).onOneLine])
    }

    /// An end with a bad status, without a word of why.
    init(failed call: PluginCall, _ outcome: ProgramOutcome) {
        let name = "plugin '\(call.plugin.name)'"
        switch outcome.status {
        case Program.leftProcess where outcome.lastErrors.contains("left process"):
            self.init(
                .incompleteDump, "\(name) ended while a process that it had started went on",
                hint: "The process was ended. This is a fault of the plugin: it must wait for all that it starts.")
        default:
            self.init(
                .programFailed, "\(name) \(outcome.status) in \(call.verb.rawValue)",
                hint: outcome.lastErrorLines.isEmpty
                    ? "It printed nothing. Run it with -v, or look into \(call.plugin.program)."
                    : "Its last lines say why.")
        }
        note(outcome)
    }

    /// A good status, and nothing to show for it.
    init(silent call: PluginCall, _ outcome: ProgramOutcome) {
        self.init(
            .incompleteDump,
            "plugin '\(call.plugin.name)' ended with status 0 and never said that its \(call.verb.rawValue) is complete",
            hint: "This is a fault of the plugin: report it to its authors.")
        note(outcome)
    }

    /// What the plugin said of it, with what its program printed.
    func of(_ call: PluginCall, _ outcome: ProgramOutcome) -> DumpError {
        var error = self
        error.context["plugin"] = call.plugin.name
        error.note(outcome)
        return error
    }

    private mutating func note(_ outcome: ProgramOutcome) {
        if !outcome.lastErrors.isEmpty { context["stderr"] = outcome.lastErrors }
    }
}
