using System.Xml.Linq;
using Microsoft.AspNetCore.DataProtection.Repositories;
using Npgsql;

namespace SignalHub.Storage.Secrets;

/// <summary>The Data Protection ring in PostgreSQL: every node reads the same keys, and a backup of the database has them.</summary>
internal sealed class KeyRingStore(Database database) : IXmlRepository
{
    // The interface is synchronous; it is called at start and once in three months.
    public IReadOnlyCollection<XElement> GetAllElements()
    {
        using var command = database.Source.CreateCommand("select xml from data_protection_keys order by created_at, id");
        using var reader = command.ExecuteReader();
        var elements = new List<XElement>();
        while (reader.Read())
        {
            elements.Add(XElement.Parse(reader.GetString(0)));
        }
        return elements;
    }

    public void StoreElement(XElement element, string friendlyName)
    {
        var stored = new XElement(element);
        foreach (var type in stored.DescendantsAndSelf().Attributes("decryptorType").Where(a => a.Value.StartsWith(typeof(KeyRingDecryptor).FullName!, StringComparison.Ordinal)))
        {
            // Without our assembly's version, so that an older release can read the ring after a step back.
            type.Value = $"{typeof(KeyRingDecryptor).FullName}, {typeof(KeyRingDecryptor).Assembly.GetName().Name}";
        }
        using var command = database.Source.CreateCommand("insert into data_protection_keys (id, xml) values ($1, $2) on conflict (id) do nothing");
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = friendlyName });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = stored.ToString(SaveOptions.DisableFormatting) });
        command.ExecuteNonQuery();
    }
}
