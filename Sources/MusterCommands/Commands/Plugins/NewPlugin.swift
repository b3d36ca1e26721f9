import ArgumentParser
import DumpCore
import Glibc
import Linux
import Plugins
import SystemPackage

struct NewPlugin: MusterCommand {
    static let manual = CommandManual(
        "new", "Write a working plugin in sh, to start from.",
        examples: [
            "muster plugins new mydb": "Write ./mydb/plugin.json and ./mydb/mydb.",
            "muster plugins new mydb --into /etc/muster/plugins": "Write it where Muster finds it.",
        ])
    @Argument(help: ArgumentHelp("The name: small letters, digits, _ and -.", valueName: "name")) var name: String
    @Option(help: ArgumentHelp("The directory that gets it. Not set: the working directory.", valueName: "dir"))
    var into = "."
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let directory = JobOptions.absolute(into).lexicallyNormalized().appending(name)
        do throws(DumpError) {
            try BuiltInProviders.requireFree(name)
            try PluginSkeleton(name: name).write(to: directory)
        } catch {
            throw CommandFailure(status: .failed, error: error)
        }
        if output.json { return Console.shared.result(try json(["directory": directory.string])) }
        guard !output.quiet else { return }
        Console.shared.result(
            """
            written: \(directory)/plugin.json and \(directory)/\(name)
            next: echo 'path: /etc/hostname' > settings.yaml; muster plugins test \(directory) --config settings.yaml
            """)
    }
}
