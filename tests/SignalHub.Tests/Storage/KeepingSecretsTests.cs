using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using SignalHub.Storage;
using SignalHub.Storage.Secrets;
using SignalHub.Tests.Support;

namespace SignalHub.Tests.Storage;

public sealed class KeepingSecretsTests
{
    private static readonly string _key = Convert.ToBase64String(SHA256.HashData("one"u8));
    private static readonly string _otherKey = Convert.ToBase64String(SHA256.HashData("other"u8));

    [Fact]
    public async Task Another_node_reads_what_this_one_encrypted()
    {
        var database = await TestPostgres.CreateDatabaseAsync();
        await using var first = await StartAsync(database, _key);
        await using var second = await StartAsync(database, _key);

        var stored = Protector(first).Protect("whsec_été");

        Assert.Equal("whsec_été", Protector(second).Unprotect(stored));
        Assert.DoesNotContain("whsec"u8.ToArray(), Windows(stored, 5));
    }

    [Fact]
    public async Task The_ring_lies_in_the_database_wrapped()
    {
        var database = await TestPostgres.CreateDatabaseAsync();
        await using var node = await StartAsync(database, _key);

        await using var command = node.Services.GetRequiredService<Database>().Source.CreateCommand("select string_agg(xml, '') from data_protection_keys");
        var xml = Assert.IsType<string>(await command.ExecuteScalarAsync());

        Assert.Contains("<wrapped ", xml, StringComparison.Ordinal);
        Assert.Contains("decryptorType=\"SignalHub.Storage.Secrets.KeyRingDecryptor, SignalHub\"", xml, StringComparison.Ordinal);
        Assert.DoesNotContain("masterKey", xml, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Another_key_ends_the_start_with_one_line_and_does_no_harm()
    {
        var database = await TestPostgres.CreateDatabaseAsync();
        await using (await StartAsync(database, _key))
        {
        }

        var refused = await Assert.ThrowsAsync<StartException>(() => StartAsync(database, _otherKey));

        Assert.StartsWith("SignalHub__EncryptionKey", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(_otherKey, refused.Message, StringComparison.Ordinal);
        await using var again = await StartAsync(database, _key);
        Assert.Equal("kept", Protector(again).Unprotect(Protector(again).Protect("kept")));
    }

    [Fact]
    public void A_changed_or_cut_text_is_not_decrypted()
    {
        var key = new EncryptionKey();
        key.Use(Convert.FromBase64String(_key));
        var text = key.Encrypt("secret"u8);

        Assert.Equal("secret"u8.ToArray(), key.Decrypt(text));
        for (var i = 0; i < text.Length; i++)
        {
            var changed = text.ToArray();
            changed[i] ^= 1;
            Assert.Throws<WrongEncryptionKeyException>(() => key.Decrypt(changed));
            Assert.Throws<WrongEncryptionKeyException>(() => key.Decrypt(text.AsSpan(0, i)));
        }
    }

    private static SecretProtector Protector(WebApplication node) => node.Services.GetRequiredService<SecretProtector>();

    private static IEnumerable<byte[]> Windows(byte[] bytes, int length) =>
        Enumerable.Range(0, bytes.Length - length + 1).Select(i => bytes[i..(i + length)]);

    private static async Task<WebApplication> StartAsync(string database, string key)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            [SettingsReader.ConnectionString] = database,
            [SettingsReader.OperatorKey] = "op_test",
            [SettingsReader.EncryptionKey] = key,
        });
        var app = builder.AddSignalHubStorage().Build();
        try
        {
            await app.Services.GetRequiredService<StorageStart>().RunAsync(CancellationToken.None);
            return app;
        }
        catch (StartException)
        {
            await app.DisposeAsync();
            throw;
        }
    }
}
