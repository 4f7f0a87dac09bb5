import HaulProtocol

@main struct Main {
    static func main() async { await BackendMain.run(S3Backend.self) }
}
