// Link only the libraries that this program uses, out of those that Swift's driver names for every program. Without C++'s and Swift's, a keeper starts in half the time.
//
// The driver puts a package's own options after these libraries, where they come too late; what it finds in this section, it puts before them.
__attribute__((section(".swift1_autolink_entries"), used)) static const char options[] = "-Wl,--as-needed";
