import MailStore

/// The mail of an installation, as commands reach it.
public enum InstalledStore {
    /// Opens it as its owner: started as root, the process becomes the user of the settings first.
    public static func open(_ settings: Settings) throws -> MailStore {
        try MailStore(root: try LiveParts.enterDataFolder(settings) + "/mail")
    }
}
