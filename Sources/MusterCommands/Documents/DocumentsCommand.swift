import ArgumentParser
import Glibc
import Linux
import SystemPackage

/// Writes the documents that are made from the program itself. Not shown in help: only the Makefile and the tests call it.
struct DocumentsCommand: ParsableCommand {
    enum Document: String, CaseIterable, ExpressibleByArgument {
        case commands
        case jobFile = "job-file"
        case referenceJob = "reference-job"
        case man
        /// The examples of all commands that the parser does not take: none.
        case wrongExamples = "wrong-examples"
    }

    static let configuration = CommandConfiguration(
        commandName: "documents", abstract: "Print a generated document.", shouldDisplay: false)

    @Argument var document: Document
    @Option var into: String?

    func run() throws {
        switch document {
        case .commands: Console.shared.result(CommandReference.markdown)
        case .jobFile: Console.shared.result(JobReference().markdown)
        case .referenceJob: Console.shared.result(ReferenceJob().text)
        case .man: try writeManual()
        case .wrongExamples: Console.shared.result(CommandPage.wrongExamples.joined(separator: "\n"))
        }
    }

    private func writeManual() throws {
        guard let into else { throw ValidationError("man writes several files", hint: "Add --into DIR.") }
        for page in ManualPage.all {
            let path = JobOptions.absolute(into).appending(page.file)
            let file = try FileDescriptor.open(
                path, .writeOnly, options: [.create, .truncate], permissions: [.ownerReadWrite, .groupRead, .otherRead])
            try file.closeAfter { _ = try file.writeAll(page.text.utf8) }
        }
    }
}
