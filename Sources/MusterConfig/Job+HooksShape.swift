import Jobs
import Settings

extension Job.Hooks {
    static var shape: ObjectShape<Job.Hooks> {
        ObjectShape(default: Job.Hooks())
            .key(
                "before", \.before, Self.commands(like: ["/usr/local/bin/stop-import", "--wait"]),
                "A program and its arguments, or a list of such, to run before a run prepares its dumps. One that fails stops the run: status 3, nothing is published."
            )
            .key(
                "after", \.after, Self.commands(like: ["/usr/local/bin/start-import"]),
                "The same, to run once the work is done or has failed, whatever came of it."
            )
            .key(
                "on_failure", \.onFailure, Self.commands(like: ["/usr/local/bin/tell-me", "backup failed"]),
                "The same, for a run that failed, and for a unit that could not begin (muster-failure@.service)."
            )
            .key(
                "on_success", \.onSuccess, Self.commands(like: ["/usr/local/bin/tell-me", "backup done"]),
                "The same, for a run that went well."
            )
            .key(
                "deadline", \.deadline, .duration(atLeast: .seconds(1), atMost: .seconds(86400)),
                "How long each of these programs may take.")
    }

    private static func commands(like example: PlainValue) -> Shape<[[String]]> {
        Shape.commands(like: example)
    }
}

extension Shape<[[String]]> {
    /// A program and its arguments, or a list of such. One alone is shown as it was written.
    fileprivate static func commands(like example: PlainValue) -> Shape {
        let (one, several) = (Shape<[String]>.command.example(example), Shape<[[String]]>.list(of: .command))
        return Shape(schema: ["anyOf": [one.schema, several.schema]]) { node, diagnostics in
            guard case .list(let nodes) = node.content, case .scalar? = nodes.first?.content else {
                return several.read(node, &diagnostics)
            }
            return one.read(node, &diagnostics).map { [$0] }
        } writer: { commands in
            commands.count == 1 ? one.write(commands[0]) : several.write(commands)
        }
    }
}
