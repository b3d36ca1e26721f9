import Glibc
import Linux
import SystemPackage
import TestSupport
import Testing

@Suite("The report page")
struct ReportTests {
    @Test(
        "has the numbers that are on record, whatever they are, and nothing of others is markup in it",
        arguments: 1...4)
    func numbers(seed: Int) async throws {
        try await withHistory(["\(seed)"]) { history in
            try await history.makePage()
            let faults = try await history.check()
            #expect(faults.status == .exited(0), "seed \(seed): \(faults.output)\(faults.errors)")
        }
    }

    @Test(
        "has the numbers of a long history with everything in it, and fits in 1 MiB",
        arguments: ["jump=1", "dumps=100", "dumps=9"])
    func large(variant: String) async throws {
        let options = [
            "runs=1000", "dumps=2", "repositories=2", "databases=100", "drills=50", "trouble=0.3", "rename=1",
            "hours=6",
        ]
        let name = variant.prefix { $0 != "=" } + "="
        // Only one is as long as a page may get: to read each report takes the check long.
        let runs = ["dumps=9": 1000, "dumps=100": 40][variant] ?? 200
        let all = ["5", "runs=\(runs)"] + options.dropFirst().filter { !$0.hasPrefix(name) } + [variant]
        try await withHistory(all) { history in
            try await history.makePage()
            let faults = try await history.check()
            #expect(faults.status == .exited(0), "\(variant): \(faults.output)\(faults.errors)")
            #expect(try FileSystem.status(of: history.page).bytes <= 1 << 20, "\(variant)")
        }
    }

    @Test("is found to be wrong by the same check where a number, a verdict or a row is")
    func wrongPages() async throws {
        try await withHistory(["3", "runs=40", "repositories=1", "trouble=0.5"]) { history in
            try await history.makePage()
            let right = try read(history.page)
            for (part, other) in [
                ("<data value=\"40\">", "<data value=\"41\">"), ("<strong>", "<strong>NOT "),
                ("scope=\"row\"", ""), ("</title>", "</title><script>1</script>"),
                ("<main>", "<main><img src=\"https://example.org/x.png\">"), ("default-src 'none'", "default-src *"),
            ] {
                try #require(right.contains(part), "\(part)")
                try write(right.replacingFirst(part, with: other), to: history.page)
                #expect(try await history.check().status == .exited(1), "\(part)")
            }
        }
    }

    @Test("is about all jobs at once, those that cannot be read too")
    func overview() async throws {
        try await withHistory(["7", "runs=30", "dumps=2", "repositories=1", "name=alpha"]) { history in
            try write("dumps: [\n", to: history.directory.appending("broken.yaml"))
            let result = try await history.muster("report", "--all", "--html", history.page.string)
            try #require(result.status == .exited(0), "\(result.errors)")
            let page = try read(history.page)
            for part in [
                "<a href=\"#j0\">alpha</a>", "<a href=\"#j1\">broken</a>", "<h2>alpha</h2>", "<h2>broken</h2>",
            ] {
                #expect(page.contains(part), "\(part)")
            }
            let look = try await Command.run(
                history.script("check"), [history.page.string], environment: [:], scratch: history.directory)
            #expect(look.status == .exited(0), "\(look.output)\(look.errors)")
        }
    }
}

@Suite("The report page of a job that asks for one")
struct ReportOfRunTests {
    @Test("is written again by each run, dump, archive and drill, and by a run that fails")
    func rewritten() async throws {
        try await TestHost.withFiles { host in
            let page = host.scratch.appending("page.html")
            host.job.lines = ["report: {html: \(page)}"]
            var pages: [String] = []
            for command in ["run", "dump", "archive", "drill"] {
                try await host.mustSucceed(command)
                pages.append(try read(page))
                #expect(try FileSystem.status(of: page).mode == 0o644)
            }
            #expect(Set(pages).count == 4)
            #expect(pages.map { $0.contains("</svg>proven</span>") } == [false, false, false, true])
            host.job.directory = "/nowhere"
            #expect(try await host.muster("run").status == .exited(3))
            #expect(try read(page).contains("<strong>FAILED</strong>"))
            #expect(try names(in: host.scratch).filter { $0.hasPrefix(".muster-") } == [])
        }
    }

    @Test("fails no run that cannot write it, and says what to do", arguments: ["missing/page.html", "taken"])
    func unwritable(name: String) async throws {
        try await TestHost.withFiles { host in
            let page = host.scratch.pushing(FilePath(name))
            if name == "taken" { try FileSystem.createDirectory(page) }
            host.job.lines = ["report: {html: \(page)}"]
            let result = try await host.muster("run")
            #expect(result.status == .exited(0))
            #expect(result.errors.contains("cannot write the report page to \(page)"), "\(result.errors)")
            #expect(result.errors.contains("code=report_not_written"), "\(result.errors)")
            #expect(result.errors.contains(name == "taken" ? "Name another file." : "mkdir -p "), "\(result.errors)")
        }
    }

    @Test("takes the place of a symbolic link, not of what it leads to")
    func link() async throws {
        try await TestHost.withFiles { host in
            let (page, target) = (host.scratch.appending("page.html"), host.scratch.appending("target"))
            try write("mine\n", to: target)
            symlink(target.string, page.string)
            host.job.lines = ["report: {html: \(page)}"]
            try await host.mustSucceed("run")
            #expect(try read(target) == "mine\n")
            #expect(try read(page).hasPrefix("<!DOCTYPE html>"))
        }
    }
}

/// What Tests/Page/history has made of a seed.
private struct History {
    let directory: FilePath
    let job: String

    var page: FilePath { directory.appending("page.html") }
    private var jobFile: FilePath { directory.appending("\(job).json") }

    func script(_ name: String) -> FilePath { Repository.root.pushing("Tests/Page").appending(name) }

    func makePage() async throws {
        let result = try await muster("report", "--config", jobFile.string, "--html", page.string)
        try #require(result.status == .exited(0), "\(result.errors)")
    }

    /// Prints what is wrong with the page, and ends with 1 if that is anything.
    func check() async throws -> Command.Result {
        let status = try await muster("status", "--config", jobFile.string, "--json")
        let file = directory.appending("status")
        try write(status.output, to: file)
        return try await Command.run(
            script("check"), [page.string, directory.string, job, file.string], environment: [:], scratch: directory)
    }

    func muster(_ arguments: String...) async throws -> Command.Result {
        try await Command.run(
            musterExecutable, arguments + ["--state", directory.appending("state").string],
            environment: ["MUSTER_CONFIG_DIRECTORY": directory.string, "PATH": "/usr/bin:/bin"], scratch: directory)
    }
}

private func withHistory(_ options: [String], _ body: (History) async throws -> Void) async throws {
    try await Turn.take {
        try await withScratch { scratch in
            let job = options.first { $0.hasPrefix("name=") }.map { String($0.dropFirst(5)) } ?? "nightly"
            let history = History(directory: scratch, job: job)
            let made = try await Command.run(
                history.script("history"), [scratch.string] + options, environment: [:], scratch: scratch)
            try #require(made.status == .exited(0), "\(made.errors)")
            try await body(history)
        }
    }
}

private func names(in directory: FilePath) throws -> [String] { try FileSystem.names(in: directory).map(\.string) }

extension String {
    fileprivate func replacingFirst(_ part: String, with other: String) -> String {
        guard let place = firstRange(of: part) else { return self }
        return replacingCharacters(in: place, with: other)
    }

    private func replacingCharacters(in range: Range<Index>, with other: String) -> String {
        self[..<range.lowerBound] + other + self[range.upperBound...]
    }
}
