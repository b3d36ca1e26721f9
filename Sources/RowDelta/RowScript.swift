/// What puts tables together without us: a script for any POSIX shell and awk, and the lists that it reads.
public enum RowScript {
    public static let file = "rows.sh"
    /// The directory beside it that all else is in.
    public static let directory = "rows"
    /// A file and the directory of its rows in each line.
    public static let tables = "tables"
    /// The digests of the files as they are put together, for `sha256sum -c`.
    public static let digests = "sha256"

    /// - Parameter next: what to do afterwards, for the heading.
    public static func text(next: String) -> String {
        #"""
        #!/bin/sh
        # Puts together the tables that Muster has stored as rows and changes, in the directory that this script is in.
        # \#(next)
        #
        # The lines of all .rows files of a table, in the order of their names, are numbered from 1. The .lines files
        # say what became of them, each line with its distance from the one that was named before:
        #   5 2            two lines from there are gone
        #   93 17 4 1200   the 4 bytes behind the first 17 of the line there are now "1200"
        set -eu
        LC_ALL=C
        export LC_ALL
        cd "$(dirname "$0")"
        while read -r file table; do
            set -- "rows/$table/"*.lines
            [ -e "$1" ] || set -- /dev/null
            awk '
                FNR == 1 { line = 0 }
                { line += $1; print line, NR, substr($0, index($0, " ") + 1) }' "$@" | sort -n -k 1,1 -k 2,2 > rows/lines
            cat "rows/$table/"*.rows | awk '
                function more(    word) {
                    first = 0
                    if ((getline change < "rows/lines") <= 0) return
                    split(substr(change, 1, 80), word, " ")
                    first = word[1] + 0; number = word[3] + 0; count = word[4] + 0; edits = word[4] != ""
                    text = substr(change, length(word[1] word[2] word[3] word[4]) + 5)
                }
                BEGIN { more() }
                !first || NR < first { print; next }
                {
                    row = $0
                    while (first && first <= NR && (edits || NR >= first + number)) {
                        if (edits && first == NR) row = substr(row, 1, number) text substr(row, number + count + 1)
                        more()
                    }
                    if (!first || NR < first) print row
                }' > "$file"
        done < rows/tables
        rm -f rows/lines
        sha256sum -c rows/sha256

        """#
    }
}
