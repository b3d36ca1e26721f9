import Testing

/// What an operator most often gets wrong in a job file: how far a line is indented, and how much must stand below a key.
@Suite("The layout of a job file")
struct LayoutTests {
    @Test(
        "is told by what is wrong with it, in one message, not by what YAML makes of it",
        arguments: [
            (
                "dumps:\n  app:\n    provider: postgresql\n   connection: x",
                "5:4: this line is indented by 3 spaces, and those above it by 2 and by 4\n"
                    + "  hint: Indent it like the line that it belongs beside."
            ),
            (
                "dumps:\n  app:\n    provider: postgresql\n     connection: x",
                "5:6: this line is indented deeper than line 4, which has its value already\n"
                    + "  hint: Indent it by 4 spaces, like line 4, or leave the value of line 4 out if this belongs to it."
            ),
            (
                "dumps:\n  app:\n  provider: postgresql",
                "4:3: 'provider' is indented like 'app', which it belongs to\n"
                    + "  hint: Indent what belongs to 'app' deeper than 'app' itself."
            ),
            (
                "dumps:\n  app: {provider: postgresql}\nrepositories:\n  local:\n  location: /x\n  keep: 7",
                "6:3: 'location' is indented like 'local', which it belongs to\n"
                    + "  hint: Indent what belongs to 'local' deeper than 'local' itself."
            ),
            (
                "dumps:\napp:\n  provider: postgresql",
                "3:1: 'app' is indented like 'dumps', which it belongs to\n"
                    + "  hint: Indent what belongs to 'dumps' deeper than 'dumps' itself."
            ),
            (
                "dumps:\n  app: {provider: postgresql}\nrepositories:\n  local:\n    location: /x\n    keep:\n    daily: 7",
                "8:5: 'daily' is indented like 'keep', which it belongs to\n"
                    + "  hint: Indent what belongs to 'keep' deeper than 'keep' itself."
            ),
            (
                "dumps:\n  app:\n    provider:postgresql",
                "4:5: dumps.app: expected a mapping, found 'provider:postgresql'\n"
                    + "  hint: Write a space after the colon: provider: postgresql"
            ),
            (
                "dumps:\n  - app: {provider: postgresql}",
                "2:1: dumps: expected a mapping, found a list\n"
                    + "  hint: Leave out the '-' or the brackets: write each name or key on its own."
            ),
        ])
    func mistake(below staging: String, message: String) {
        #expect(mistakes(in: "staging: /s\n" + staging) == "nightly.yaml:" + message)
    }

    @Test("of its first line is told too")
    func first() {
        #expect(
            mistakes(in: "staging:/s\ndumps:\n  app: {provider: postgresql}") == """
                nightly.yaml:1:1: there is no space after the colon of 'staging'
                  hint: Write a space after it.
                """)
        #expect(
            mistakes(in: "staging: /s\n dumps:\n  app: {provider: postgresql}") == """
                nightly.yaml:2:2: this line is indented deeper than line 1, which has its value already
                  hint: Do not indent it, like line 1, or leave the value of line 1 out if this belongs to it.
                """)
    }

    @Test(
        "A value in the place of a mapping is told with the mapping that works",
        arguments: [
            (
                "keep: 7",
                "keep: expected a mapping, found '7'\n  hint: Write keep: {daily: 7, weekly: 4}. "
                    + "Known here: last, secondly, minutely, hourly, daily, weekly, monthly, yearly, within."
            ),
            (
                "check: 7d",
                "check: expected a mapping, found '7d'\n  hint: Write check: {every: 7d}. Known here: every, verify_data, max_duration."
            ),
            (
                "retry: 3",
                "retry: expected a mapping, found '3'\n  hint: Write retry: {times: 2, wait: 10s}. Known here: times, wait."
            ),
        ])
    func forms(line: String, message: String) {
        let place = line.split(separator: ":")[0].count + 7
        #expect(
            mistakes(in: repository("location: /x\n\(line)"))
                == "nightly.yaml:7:\(place): repositories.offsite.\(message)")
    }
}
