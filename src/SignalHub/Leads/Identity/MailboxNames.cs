namespace SignalHub.Leads.Identity;

/// <summary>Names of mailboxes that are not one person's: roles (RFC 2142 and what companies use) and test data. Lower case, no tag.</summary>
internal static class MailboxNames
{
    private static readonly HashSet<string> Roles = new(StringComparer.Ordinal)
    {
        "info", "infos", "information", "contact", "contacts", "contactus", "contact-us", "contact.us", "hello", "hi", "hey", "hallo", "kontakt",
        "contacto", "contato", "contatti", "sales", "sale", "presales", "vertrieb", "ventas", "vendas", "vente", "ventes", "commercial",
        "support", "help", "helpdesk", "help-desk", "service", "services", "servicedesk", "service-desk", "customerservice",
        "customer-service", "customer.service", "customercare", "customersuccess", "care", "cs", "success", "soporte", "suporte", "aide",
        "admin", "administrator", "administration", "administracion", "office", "buero", "büro", "reception", "receptionist", "front-desk",
        "frontdesk", "secretary", "sekretariat", "secretariat", "mail", "email", "post", "mailbox", "inbox", "team", "teams", "staff", "all",
        "everyone", "company", "general", "enquiries", "enquiry", "inquiries", "inquiry", "anfrage", "feedback", "marketing", "press",
        "presse", "media", "pr", "news", "newsletter", "events", "partners", "partner", "partnerships", "billing", "invoice", "invoices",
        "invoicing", "rechnung", "rechnungen", "buchhaltung", "accounts", "accounting", "accountspayable", "accounts-payable", "ap", "ar",
        "finance", "payments", "payment", "payroll", "orders", "order", "bestellung", "purchasing", "procurement", "einkauf", "shop", "store",
        "bookings", "booking", "reservations", "hr", "humanresources", "human-resources", "people", "jobs", "job", "careers", "career",
        "karriere", "bewerbung", "recruiting", "recruitment", "talent", "rh", "legal", "compliance", "privacy", "datenschutz", "dpo", "gdpr",
        "security", "abuse", "postmaster", "hostmaster", "webmaster", "web", "www", "noc", "root", "it", "itsupport", "it-support", "tech",
        "technical", "dev", "devs", "developers", "engineering", "ops", "operations", "devops", "sysadmin", "product", "research", "data",
        "noreply", "no-reply", "no_reply", "no.reply", "donotreply", "do-not-reply", "do_not_reply", "reply", "mailer-daemon", "bounce",
        "bounces", "notifications", "notification", "notify", "alerts", "alert", "updates", "system", "automated", "robot", "bot",
        "subscribe", "unsubscribe", "list", "lists", "community", "members", "membership", "registration", "management", "direction",
        "bd", "growth", "revops", "growthteam", "leads", "demo", "demos", "trial",
    };

    private static readonly HashSet<string> Tests = new(StringComparer.Ordinal)
    {
        "test", "tests", "testing", "tester", "test1", "test2", "test3", "test12", "test123", "test1234", "testuser", "test-user", "test_user",
        "test.user", "testtest", "testaccount", "testemail", "asdf", "asdfasdf", "asdfgh", "asd", "qwe", "qwer", "qwerty", "foo", "foobar", "foo.bar",
        "dummy", "fake", "sample", "aaa", "aaaa", "abc", "abc123", "xyz", "xxx", "blah", "blabla", "lorem", "noone", "nobody", "none", "noemail",
        "no-email", "noname", "youremail", "your-email", "your.email", "yourname", "your.name",
    };

    private static readonly HashSet<string> TestLabels = new(StringComparer.Ordinal)
    {
        "test", "tests", "testing", "testtest", "tester", "asdf", "asdfasdf", "asd", "qwerty", "qwer", "foo", "foobar", "dummy", "fake",
        "blah", "aaa", "xxx",
        "abc123", "test123", "yourcompany", "yourdomain", "your-company", "your-domain", "mydomain", "domainname",
    };

    private static readonly HashSet<string>.AlternateLookup<ReadOnlySpan<char>> RoleLookup = Roles.GetAlternateLookup<ReadOnlySpan<char>>();

    private static readonly HashSet<string>.AlternateLookup<ReadOnlySpan<char>> TestLookup = Tests.GetAlternateLookup<ReadOnlySpan<char>>();

    private static readonly HashSet<string>.AlternateLookup<ReadOnlySpan<char>> LabelLookup = TestLabels.GetAlternateLookup<ReadOnlySpan<char>>();

    public static bool IsRole(ReadOnlySpan<char> local) => RoleLookup.Contains(local);

    public static bool IsTest(ReadOnlySpan<char> local) => TestLookup.Contains(local);

    /// <summary>test.com, asdf.de, acme.test: example.com is ordinary, since every newcomer tries it.</summary>
    public static bool IsTestHost(string host)
    {
        var first = host.IndexOf('.', StringComparison.Ordinal);
        return LabelLookup.Contains(host.AsSpan(0, first)) || host.EndsWith(".test", StringComparison.Ordinal);
    }
}
